"""The processes that unpack pictures, and who may ask them when.

A process of Demeter has one pool. It starts readers when they are needed and ends them when they
are idle. Two limits hold at once: so many readers, and so many bytes for all pictures together.
Who comes when all are taken waits in one line; who finds the line full, or waits too long, is
told so by name. A reader that takes too much memory or time, or crashes, is replaced; after a
crash the photo is read once more, by a new one.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import demeter
from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.core.notices import Notice
from demeter.core.pixels import messages
from demeter.core.pixels.errors import DecoderBusy, DecoderFailed, PhotoUnreadable, refusal
from demeter.core.settings import settings

log = logs.get(__name__)

# A reader has no need of the rest, least of all of addresses with passwords in them.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
_THRIFT = {
    "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MB of what a reader may have
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_READER = "demeter.core.pixels.reader"
IDLE_S = 60.0
_START_S = 30.0
_LAST_WORDS = 2000


class Allowance:
    """Places that are given out in the order in which they are asked for.

    ``total`` is how much there is: readers, or bytes. An amount over it counts as all of it.
    """

    def __init__(self, total: int) -> None:
        self._free = self._total = total
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def hold(self, amount: int, wait_s: float, most_waiting: int | None = None) -> Iterator[None]:
        """Have an amount of it for the time of a ``with``.

        Raises:
            DecoderBusy: the line is full, or does not move on within ``wait_s``.
        """
        amount = min(amount, self._total)
        self._take(amount, wait_s, most_waiting)
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()

    def _take(self, amount: int, wait_s: float, most_waiting: int | None) -> None:
        own = object()
        with self._changed:
            if most_waiting is not None and len(self._waiting) >= most_waiting:
                raise DecoderBusy(Notice("decoder_line_full", {"waiting": len(self._waiting)}))
            self._waiting.append(own)
            try:
                if not self._changed.wait_for(
                    lambda: self._waiting[0] is own and self._free >= amount, wait_s
                ):
                    raise DecoderBusy(Notice("decoder_line_slow", {"seconds": round(wait_s)}))
                self._free -= amount
            finally:
                self._waiting.remove(own)
                self._changed.notify_all()


class _ReaderCrashed(PhotoUnreadable):
    """A reader ended in the middle of a photo."""


class Reader:
    """One process, and the socket to it."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the reader
        self._socket, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        source = str(Path(demeter.__file__).parents[1])
        paths = [source, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    f"{messages.__package__}.reader",
                    str(theirs.fileno()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                env=environment | _THRIFT | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def send(self, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
        """An order, or leave to go on."""
        messages.send(self._socket, message, files)

    def receive(self, wait_s: float) -> dict[str, Any] | None:
        """The next answer; ``None`` where the process ended.

        Raises:
            TimeoutError: it takes longer.
        """
        self._socket.settimeout(wait_s)
        try:
            answer = messages.receive(self._socket)
        except ConnectionError:
            return None
        return answer[0] if answer else None

    def end(self) -> tuple[int, str]:
        """Kill it; gives its exit status (−n: ended by signal n) and its last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)  # it may be ending by itself, and say why
        self._process.kill()
        status = self._process.wait()
        self._socket.close()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _LAST_WORDS))
        words = self._errors.read().decode("utf-8", "replace").strip()
        self._errors.close()
        return status, words


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What is asked: an act of `reader`, its parameters, and the name of the file for errors."""

    act: str
    name: str
    params: dict[str, Any]


class Pool:
    """The readers of this process."""

    def __init__(self, readers: int, memory_bytes: int) -> None:
        self.readers = Allowance(readers)
        self.memory = Allowance(memory_bytes)
        self._idle: list[Reader] = []
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._owner = os.getpid()

    def ask(self, request: PictureRequest, source: int, out: int) -> dict[str, Any]:
        """The facts about the file ``source``; pixels or a picture are written to ``out``.

        Raises:
            DomainError: why the file is not read, by name, or that there is no room now.
        """
        limits = settings()
        with self.readers.hold(1, limits.decoder_wait_s, limits.decoder_waiting):
            try:
                answer = self._answer(self._reader(), request, (source, out))
            except _ReaderCrashed as first:
                # It may have been killed from outside, or an earlier photo had spoiled it: a
                # photo is refused only if it is the end of a reader that has read nothing else.
                log.info("photo_read_again", file=request.name, error=chain(first))
                os.ftruncate(out, 0)
                os.lseek(out, 0, os.SEEK_SET)
                answer = self._answer(Reader(), request, (source, out))
        if "fault" in answer:
            raise refusal(answer["fault"], answer["notice"], request.name, answer["params"])
        return answer["answer"]

    def _answer(
        self, reader: Reader, request: PictureRequest, files: tuple[int, int]
    ) -> dict[str, Any]:
        try:
            answer = self._converse(reader, request, files)
        except BaseException:
            # Nobody knows what it is doing: only a new one can be trusted.
            reader.end()
            raise
        if answer is None:
            raise _crash(request.name, *reader.end())
        if answer.get("notice") == "photo_needs_memory":
            reader.end()
        else:
            self._keep(reader)
        return answer

    def _converse(
        self, reader: Reader, request: PictureRequest, files: tuple[int, int]
    ) -> dict[str, Any] | None:
        limits = settings()
        try:
            reader.send(_order(request), files)
            answer = reader.receive(_START_S + limits.decoder_timeout_s)
            if answer is None or "needs" not in answer:
                return answer
            with self.memory.hold(answer["needs"], limits.decoder_wait_s):
                reader.send({"go": True})
                return reader.receive(limits.decoder_timeout_s)
        except ConnectionError:
            return None
        except TimeoutError as error:
            raise _too_slow(request.name, limits.decoder_timeout_s) from error

    def _reader(self) -> Reader:
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.is_alive():
                    return reader
                reader.end()
        return Reader()

    def _keep(self, reader: Reader) -> None:
        reader.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(reader)
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, daemon=True)
                self._sweeper.start()

    def _sweep(self) -> None:
        """End readers that nobody asked for a while; go when there are none."""
        while True:
            time.sleep(IDLE_S / 4)
            with self._lock:
                since = time.monotonic() - IDLE_S
                tired = [reader for reader in self._idle if reader.idle_since < since]
                self._idle = [reader for reader in self._idle if reader.idle_since >= since]
                if not self._idle:
                    self._sweeper = None
            for reader in tired:
                reader.end()
            if self._sweeper is not threading.current_thread():
                return

    def close(self) -> None:
        """End all readers that are idle; those at work end with this process."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.end()


@lru_cache(maxsize=1)
def _pool_of(_: int) -> Pool:
    limits = settings()
    own = Pool(limits.decoder_processes, limits.decoder_memory_bytes)
    atexit.register(own.close)
    return own


_making = threading.Lock()


def pool() -> Pool:
    """The pool of this process."""
    with _making:
        return _pool_of(os.getpid())


def _order(request: PictureRequest) -> dict[str, Any]:
    limits = settings()
    return {
        "act": request.act,
        "memory_bytes": limits.decoder_process_bytes,
        "cpu_s": limits.decoder_cpu_s,
        "max_bytes": limits.max_photo_bytes,
        "max_pixels": limits.max_photo_pixels,
        "min_side_px": limits.min_photo_side_px,
        **request.params,
    }


def _crash(name: str, status: int, words: str) -> DomainError:
    log.warning("photo_reader_ended", file=name, status=status, last_words=words)
    if status in (-signal.SIGPROF, -signal.SIGXCPU):
        return _too_slow(name, settings().decoder_cpu_s)
    ending = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    cause = DecoderFailed(f"{ending}: {words}" if words else ending)
    refused = refusal("photo_unreadable", "photo_reader_failed", name, {"cause": ending})
    error = _ReaderCrashed(refused.notice, **refused.context)
    error.__cause__ = cause
    return error


def _too_slow(name: str, seconds: float) -> DomainError:
    return refusal("photo_too_large", "photo_needs_time", name, {"seconds": round(seconds)})
