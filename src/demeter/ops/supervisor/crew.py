"""Several processes as one: all run until one word stops them all."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

from demeter.core import logs
from demeter.core.errors import chain
from demeter.ops.supervisor.member import Member, Relay, Role, pass_on

LOOK_EVERY_S = 0.2
PATIENCE_S = 30.0  # a worker finishes the job in hand
SAY_WHY_AFTER = 3  # early deaths in a row
PAUSE_AFTER_FAILURE_S = 2.0
log = logs.get(__name__)


class Crew:
    """Runs one process a role, starts again what dies, stops all on SIGTERM or SIGINT.

    Args:
        roles: what is run, in the order in which it is started.
        say: takes one line for the person.
        tend: called a few times a second, for what is not a process of the crew.
        relay: takes a role's name and each line that its process writes.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        say: Callable[[str], None],
        tend: Callable[[], None] = lambda: None,
        relay: Relay = pass_on,
    ) -> None:
        self.members = [Member(role, relay) for role in roles]
        self._say = say
        self._tend = tend
        self._stopping = threading.Event()
        self._asked = 0

    def run(self) -> None:
        """Run until asked to stop; returns when every process has ended."""
        previous_handlers = {n: signal.signal(n, self._handle_stop_signal) for n in _STOP_SIGNALS}
        try:
            while not self._stopping.is_set():
                self._look_safely()
                self._stopping.wait(LOOK_EVERY_S)
        finally:
            self._stop()
            for number, handler in previous_handlers.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask it to stop."""
        self._stopping.set()

    def _handle_stop_signal(self, *_: object) -> None:
        self._asked += 1
        self._stopping.set()

    def _look_safely(self) -> None:
        """One look; whatever goes wrong in it, the processes are kept running."""
        try:
            self._look()
        except Exception as error:
            log.exception("supervision_failed", error=chain(error))
            self._stopping.wait(PAUSE_AFTER_FAILURE_S)

    def _look(self) -> None:
        self._tend()
        for member in self.members:
            status = member.bury()
            if status is not None:
                self._report(member, status)
            member.start_if_due()

    def _report(self, member: Member, status: int) -> None:
        cause = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._say(f"{member.role.name} ended ({cause}); starting it again.")
        if member.early_deaths >= SAY_WHY_AFTER:
            self._say(f"{member.role.name} keeps dying. Its last words:")
            for line in tuple(member.last_words):
                self._say(f"    {line}")

    def _stop(self) -> None:
        """Ask the last started first; force who does not listen, or when asked twice."""
        asked_before = self._asked
        deadline = time.monotonic() + PATIENCE_S
        for member in reversed(self.members):
            member.tell(signal.SIGTERM)
        while any(member.is_alive for member in self.members):
            if time.monotonic() > deadline or self._asked > max(1, asked_before):
                for member in self.members:
                    member.tell(signal.SIGKILL)
            time.sleep(LOOK_EVERY_S / 4)


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
