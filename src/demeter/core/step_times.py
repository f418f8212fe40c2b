"""How long each step of a photo took, added up in the database for `/metrics`.

Workers are processes of their own, which nobody asks; so a step that ends adds itself to a
row, after the transaction that did its work. A process that dies between the two leaves its
step out: these figures describe, and nothing depends on them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, transaction
from demeter.core.errors import Unavailable

# Upper ends of what is counted together, in seconds; the last stands for all that took longer.
BOUNDS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900, 3600, 14_400, 86_400)
LONGER_S = float("inf")
DONE = "done"


class StepTime(Base):
    """How often a step ended so within so many seconds, and the seconds of all of them."""

    __tablename__ = "step_times"

    step: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    within_s: Mapped[float] = mapped_column(primary_key=True)
    steps: Mapped[int]
    seconds: Mapped[float]


ADD = text("""
INSERT INTO step_times AS t (step, outcome, within_s, steps, seconds)
VALUES (:step, :outcome, :within_s, 1, :seconds)
ON CONFLICT (step, outcome, within_s)
DO UPDATE SET steps = t.steps + 1, seconds = t.seconds + excluded.seconds
""")


def note(step: str, seconds: float, outcome: str = DONE) -> None:
    """Add one step that ended; where the database is away, it is left out."""
    seconds = max(0.0, seconds)  # a clock may have been set back meanwhile
    within_s = next((bound for bound in BOUNDS_S if seconds <= bound), LONGER_S)
    row = {"step": step, "outcome": outcome, "within_s": within_s, "seconds": seconds}
    with suppress(DBAPIError, Unavailable), transaction() as session:
        session.execute(text("SET LOCAL lock_timeout = '1s'"))
        session.execute(ADD, row)


def note_since(step: str, began_at: datetime, outcome: str = DONE) -> None:
    """Add a step that began at a moment written in the database, and ends now."""
    note(step, (datetime.now(UTC) - began_at).total_seconds(), outcome)


@contextmanager
def measure(step: str) -> Iterator[None]:
    """Add what is done inside as a step, unless it fails."""
    begin = time.perf_counter()
    yield
    note(step, time.perf_counter() - begin)
