"""What a process holds while it works: memory, descriptors, temporary files; a line a look."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Look:
    """A process at a moment: bytes in memory, its own and of its children, and what is open."""

    at_s: float
    ended: int
    rss: int
    children_rss: int
    descriptors: int
    threads: int
    temporary: int


def children_of(pid: int) -> list[int]:
    """Processes that it started, and those that they started."""
    own: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            own += [int(child) for child in task.read_text().split()]
    return own + [grandchild for child in own for grandchild in children_of(child)]


def memory_of(pid: int) -> int:
    """Bytes of it that are in memory; 0 for one that is gone."""
    return 1024 * _number(pid, "VmRSS")


def _number(pid: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


class Watch:
    """Looks at a process every so many seconds and writes a line of CSV each time.

    ``ended`` says how much of the work is done; ``temporary`` is the folder of its files.
    """

    def __init__(
        self, pid: int, ended: Callable[[], int], temporary: Path, out: Path, every_s: float
    ) -> None:
        self.looks: list[Look] = []
        self._pid, self._ended, self._temporary, self._out = pid, ended, temporary, out
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        begin = time.monotonic()
        with self._out.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow([field.name for field in fields(Look)])
            while not self._over.wait(self._every_s):
                look = self._look(time.monotonic() - begin)
                self.looks.append(look)
                rows.writerow(astuple(look))
                file.flush()

    def _look(self, at_s: float) -> Look:
        return Look(
            at_s=round(at_s, 1),
            ended=self._ended(),
            rss=memory_of(self._pid),
            children_rss=sum(memory_of(child) for child in children_of(self._pid)),
            descriptors=len(list(Path(f"/proc/{self._pid}/fd").iterdir())),
            threads=_number(self._pid, "Threads"),
            temporary=sum(path.is_file() for path in self._temporary.rglob("*")),
        )
