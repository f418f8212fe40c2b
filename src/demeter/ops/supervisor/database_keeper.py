"""The embedded database beside the crew: started again where it is down, let recover where not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.core.localdb import LocalDatabase

LOOK_EVERY_S = 2.0
LONGEST_WAIT_S = 30.0
log = logs.get(__name__)


class DatabaseKeeper:
    """Sees to it that the embedded server runs, and never gives up.

    Starting takes as long as it takes, so it is done beside the loop that tends the crew.
    A server that recovers by itself, as after the death of one of its processes, is let be.

    Args:
        database: the embedded one.
        say: takes a line for the person.
    """

    def __init__(self, database: LocalDatabase, say: Callable[[str], None]) -> None:
        self._database = database
        self._say = say
        self._thread: threading.Thread | None = None
        self._next_look = time.monotonic() + LOOK_EVERY_S
        self._failures = 0
        self._was_busy = False

    def look(self) -> None:
        """Called a few times a second: start the server where it is down; returns at once."""
        if time.monotonic() < self._next_look or (self._thread and self._thread.is_alive()):
            return
        self._next_look = time.monotonic() + LOOK_EVERY_S
        status = self._database.status()
        if status.state == "busy" and not self._was_busy:
            self._say("The database recovers; Demeter goes on when it has.")
        self._was_busy = status.state == "busy"
        if status.is_down:
            self._say("The database does not answer; starting it again.")
            self._thread = threading.Thread(target=self._start, name="database", daemon=True)
            self._thread.start()

    def _start(self) -> None:
        try:
            self._database.ensure_running()
            self._failures = 0
        except (DomainError, OSError) as error:
            self._failures += 1
            wait_s = min(LOOK_EVERY_S * 2**self._failures, LONGEST_WAIT_S)
            self._next_look = time.monotonic() + wait_s
            log.exception("database_not_started", error=chain(error))
            self._say(f"The database does not start; trying again in {wait_s:.0f} s: {error}")
