"""Lines on standard error that neither block nor raise: a log may be lost, a server may not.

A log goes to what somebody else holds: a disk that fills, a reader that leaves or hangs. What
cannot be written now is dropped and counted; the count is the first line when it goes on.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import threading
from collections.abc import Callable
from io import UnsupportedOperation

PATIENCE_S = 0.2  # for a reader that is only slow; one that hangs is waited for once
PIECE_BYTES = 4096  # what a pipe that can be written to takes without blocking


class LineOutput:
    """Writes whole lines to what standard error is at that moment.

    Args:
        lost_line: the line that says how many were dropped.
    """

    def __init__(self, lost_line: Callable[[int], str]) -> None:
        self.lost = 0  # since the last line that was written
        self._lost_line = lost_line
        self._is_cut = False  # the last line broke off within
        self._own: _OwnDescriptor | None = None
        self._renew_lock()
        os.register_at_fork(after_in_child=self._renew_lock)

    def write(self, line: str) -> None:
        """Write a line, or count it as lost."""
        with self._lock:
            try:
                if self.lost and not self._send(self._lost_line(self.lost)):
                    self.lost += 1
                    return
                self.lost = 0
                if not self._send(line):
                    self.lost += 1
            except (OSError, ValueError):  # full disk, reader gone; a closed stream
                self.lost += 1

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def _send(self, line: str) -> bool:
        try:
            descriptor = sys.stderr.fileno()
        except (UnsupportedOperation, AttributeError):
            sys.stderr.write(f"{line}\n")  # a stand-in that a test or a console put there
            return True
        sys.stderr.flush()
        return self._send_bytes(self._descriptor(descriptor), line)

    def _send_bytes(self, descriptor: int, line: str) -> bool:
        text = f"\n{line}\n" if self._is_cut else f"{line}\n"
        rest = memoryview(text.encode(errors="backslashreplace"))
        patience_s = 0.0 if self.lost else PATIENCE_S
        begun = False
        try:
            while rest:
                if not _is_writable(descriptor, patience_s):
                    break
                rest = rest[os.write(descriptor, rest[:PIECE_BYTES]) :]
                begun = True
        except BlockingIOError:  # another process filled it first
            pass
        finally:
            if begun:
                self._is_cut = bool(rest)
        return not rest

    def _descriptor(self, descriptor: int) -> int:
        """Standard error, by an opening of our own where a writer can be kept waiting."""
        status = os.fstat(descriptor)
        place = (status.st_dev, status.st_ino)
        if self._own is None or self._own.place != place:
            if self._own is not None:
                self._own.close()
            self._own = _OwnDescriptor(descriptor, place, status.st_mode)
        return self._own.number if self._own.number is not None else descriptor


class _OwnDescriptor:
    """A pipe or terminal opened anew, so that not to block is our affair and nobody else's."""

    def __init__(self, descriptor: int, place: tuple[int, int], mode: int) -> None:
        self.place = place
        self.number: int | None = None
        if stat.S_ISFIFO(mode) or os.isatty(descriptor):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            try:
                self.number = os.open(f"/proc/self/fd/{descriptor}", flags)
            except OSError:
                self.number = None  # its reader is gone, or it cannot be opened: as it is, then

    def close(self) -> None:
        if self.number is not None:
            os.close(self.number)


def _is_writable(descriptor: int, patience_s: float) -> bool:
    question = select.poll()
    question.register(descriptor, select.POLLOUT)
    return bool(question.poll(patience_s * 1000))
