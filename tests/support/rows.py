"""What a test asks of the database while processes work, and how it waits for the answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import text

from demeter.core.db import transaction


def count(rows: str) -> int:
    """How many there are; ``rows`` is a table and, after WHERE, which of it."""
    with transaction() as db:
        return db.execute(text(f"SELECT count(*) FROM {rows}")).scalar_one()


def until(question: Callable[[], object], within_s: float = 300) -> None:
    """Ask until the answer is true."""
    end = time.monotonic() + within_s
    while not question():
        assert time.monotonic() < end
        time.sleep(0.2)
