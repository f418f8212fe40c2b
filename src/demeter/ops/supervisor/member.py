"""One process of the crew: started, watched, started again, stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from demeter.core import logs

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
SETTLED_AFTER_S = 30.0  # a process that lived this long had begun well
LAST_WORDS = 12
PR_SET_PDEATHSIG = 1
Relay = Callable[[str, str], None]
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Role:
    """What a process is for, and the command that does it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def pass_on(_: str, line: str) -> None:
    """Write a process's line to standard error as it is; it neither blocks nor raises."""
    logs.output.write(line)


class Member:
    """A role with the process that plays it now.

    A process that dies is started again after a wait that doubles while it keeps dying soon
    after its start. ``relay`` takes the role's name and each line that the process writes.
    """

    def __init__(self, role: Role, relay: Relay = pass_on) -> None:
        self.role = role
        self._relay = relay
        self.early_deaths = 0
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return self._process.pid if self._process else None

    def start_if_due(self) -> None:
        """Start the process unless it runs or waits after a death."""
        if not self.is_alive and time.monotonic() >= self._start_at:
            self._start()

    def bury(self) -> int | None:
        """The exit status of a process that died since last asked, and the wait begins."""
        if self._process is None or self._process.poll() is None:
            return None
        status = self._process.returncode
        self._process = None
        lived_long = time.monotonic() - self._started_at >= SETTLED_AFTER_S
        self.early_deaths = 1 if lived_long else self.early_deaths + 1
        wait_s = FIRST_WAIT_S * 2 ** (self.early_deaths - 1)
        self._start_at = time.monotonic() + min(wait_s, LONGEST_WAIT_S)
        return status

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the process and to what it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _start(self) -> None:
        self.last_words.clear()
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self.role.command,
            env={**os.environ, **self.role.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,  # Ctrl-C is for the crew, which stops its members in order
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call, bound before the fork
        )
        assert self._process.stdout is not None
        listener = threading.Thread(
            target=self._listen, args=(self._process.stdout,), name=self.role.name, daemon=True
        )
        listener.start()

    def _listen(self, output: IO[str]) -> None:
        """Pass on what it says, and keep the last of it for when it dies.

        It is read to its end whatever becomes of a line: a process whose output nobody reads
        stands still.
        """
        for line in output:
            self.last_words.append(line.rstrip())
            try:
                self._relay(self.role.name, line.rstrip("\n"))
            except Exception:  # noqa: BLE001 - a line is lost, and counted; the process goes on
                logs.output.lost += 1


def _end_with_parent() -> None:
    """Ask the kernel to end this process when the crew's process dies, however it dies."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
