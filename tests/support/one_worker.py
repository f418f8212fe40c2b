"""One worker for all queues as a process, on a database and a home of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from demeter.core.db import transaction
from support.nursery import plant_nursery


@dataclass(frozen=True)
class Work:
    """The worker at work: its process, and where its temporary files go."""

    process: subprocess.Popen[bytes]
    temporary: Path


@pytest.fixture
def home(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the test and of the worker, with a nursery in its database."""
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEMETER_VISION_THREADS", "1")
    with transaction() as session:
        plant_nursery(session)
    return tmp_path


@contextmanager
def one_worker(home: Path) -> Iterator[Work]:
    """At work until the end of the block; it ends by itself when it is asked to."""
    temporary = home / "temporary"
    temporary.mkdir()
    with (home / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demeter", "worker"],
            env=os.environ | {"TMPDIR": str(temporary)},
            stderr=log,
        )
    try:
        yield Work(process, temporary)
    finally:
        process.terminate()
        process.wait(60)
