"""How each kind of fault is done to an installation, and undone where it does not undo itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from harness.installation import Installation
from harness.plan import Fault, Plan
from support.disks import fill

BETWEEN_KILLS_S = (0.3, 2.0)
CLOCK_STAYS_S = 4.0
REPLAYED = ("ml_parent_task", "ml_aggregation_callback")
COME_FOR_S = 4.0  # how long a process that is to be killed is waited for

REQUEUE = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
WHERE status = 'doing' AND queueing_lock IS NULL RETURNING id
"""
REPLAY_SESSIONS = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(q, t, 0, NULL, NULL,
    jsonb_build_object('session_id', s.id, 'attempt', s.attempt), NULL)
    ::procrastinate_job_to_defer_v1])
FROM photo_processing_sessions s,
    (VALUES ('cpu', 'ml_parent_task'), ('cpu', 'ml_aggregation_callback')) AS task (q, t)
"""
REPLAY_IMAGES = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('gpu', 'ml_child_task', 0, NULL, NULL,
    jsonb_build_object('session_id', s.id, 'session_image_id', i.id, 'attempt', s.attempt), NULL)
    ::procrastinate_job_to_defer_v1])
FROM photo_processing_sessions s JOIN photo_session_images i ON i.session_id = s.id
"""
REPLAY_BLOBS = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('io', 'store_blob', 0, NULL, NULL,
    jsonb_build_object('sha256', i.sha256), NULL)::procrastinate_job_to_defer_v1])
FROM s3_images i
"""


class Breaker:
    """Carries the faults of a plan out, each at its moment; `is_over` when all is whole again."""

    def __init__(self, installation: Installation, plan: Plan) -> None:
        self._installation = installation
        self._plan = plan
        self._chance = random.Random(plan.seed + 1)
        self._stopping = threading.Event()
        self.notes: list[str] = []  # what was done to whom
        self.faults: list[str] = []  # of this program itself
        self._over_at = time.monotonic()
        self._threads: list[threading.Thread] = []

    def arm(self) -> None:
        """What lies ready before anything starts."""
        for fault in self._plan.faults:
            if fault.kind == "crash_point":
                place = self._installation.crash_points / fault.details["step"]
                place.write_text(str(fault.details["nth"]))

    def begin(self) -> None:
        """Start the clock of the faults, and the service manager."""
        begin = time.monotonic()
        for fault in self._plan.faults:
            if fault.kind != "crash_point":
                act = threading.Thread(target=self._carry_out, args=(fault, begin), daemon=True)
                act.start()
                self._threads.append(act)
        threading.Thread(target=self._manage, daemon=True).start()

    def wait(self) -> float:
        """Until the last fault is over; the moment, by this process's monotonic clock."""
        for thread in self._threads:
            thread.join()
        return self._over_at

    def stop(self) -> None:
        """Start nothing again."""
        self._stopping.set()

    def _manage(self) -> None:
        while not self._stopping.wait(0.3):
            with suppress(OSError):
                self._installation.keep_up()

    def _carry_out(self, fault: Fault, begin: float) -> None:
        time.sleep(max(0.0, begin + fault.at_s - time.monotonic()))
        try:
            getattr(self, f"_{fault.kind}")(fault.details)
        except Exception as error:  # noqa: BLE001  a run without its fault proves nothing
            self.faults.append(f"{fault}: {type(error).__name__}: {error}")
        self._over_at = max(self._over_at, time.monotonic())

    def _kill_web(self, details: dict[str, Any]) -> None:
        self._kill_some("web_server", details["times"])

    def _kill_worker(self, details: dict[str, Any]) -> None:
        self._kill_some("demeter worker", details["times"])

    def _kill_decoder(self, details: dict[str, Any]) -> None:
        self._kill_some("pixels.reader", details["times"])

    def _crash_decoder(self, _: dict[str, Any]) -> None:
        self._kill_some("pixels.reader", 1, signal.SIGSEGV)

    def _kill_supervisor(self, _: dict[str, Any]) -> None:
        self._kill_some("demeter up", 1)

    def _kill_postmaster(self, _: dict[str, Any]) -> None:
        pid = self._installation.postmaster()
        self._signal(pid, signal.SIGKILL, "postmaster")

    def _kill_backend(self, details: dict[str, Any]) -> None:
        for _ in range(details["times"]):
            backends = self._wait_for(self._installation.backends)
            what = self._chance.choice(sorted(set(backends.values())))
            pid = self._chance.choice(sorted(p for p, words in backends.items() if words == what))
            self._signal(pid, signal.SIGKILL, what)
            time.sleep(self._chance.uniform(*BETWEEN_KILLS_S))

    def _kill_store(self, details: dict[str, Any]) -> None:
        bucket = self._installation.bucket
        assert bucket is not None
        bucket.kill()
        time.sleep(details["for_s"])
        bucket.start()

    def _pause_worker(self, details: dict[str, Any]) -> None:
        """A worker that stands still for longer than others believe that it lives."""
        pid = self._chance.choice(self._wait_for(lambda: self._pids("demeter worker")))
        self._signal(pid, signal.SIGSTOP, "worker stands still")
        time.sleep(details["for_s"])
        self._signal(pid, signal.SIGCONT, "worker goes on")

    def _wire_database(self, details: dict[str, Any]) -> None:
        self._spoil(self._installation.database_wire, details)

    def _wire_store(self, details: dict[str, Any]) -> None:
        self._spoil(self._installation.store_wire, details)

    def _spoil(self, wire: Any, details: dict[str, Any]) -> None:
        assert wire is not None
        wire.be(details["mood"])
        time.sleep(details["for_s"])
        wire.be("calm")
        self.notes.append(f"{wire.ends} connections ended")

    def _full_home(self, details: dict[str, Any]) -> None:
        self._fill(self._installation.home, details["for_s"])

    def _full_temporary(self, details: dict[str, Any]) -> None:
        self._fill(self._installation.temporary, details["for_s"])

    def _full_log(self, details: dict[str, Any]) -> None:
        assert self._installation.log is not None
        self._fill(self._installation.log.parent, details["for_s"])

    def _fill(self, disk: Any, for_s: float) -> None:
        filler = fill(disk)
        self.notes.append(f"{disk.name} is full")
        time.sleep(for_s)
        filler.unlink()

    def _clock_jump(self, details: dict[str, Any]) -> None:
        clock = self._installation.clock
        clock.write_text(f"{details['by_s']:+d}")
        time.sleep(CLOCK_STAYS_S)
        clock.write_text("+0")

    def _two_workers(self, _: dict[str, Any]) -> None:
        """Jobs in hand are given to another worker as well, again and again for a while."""
        given = 0
        end = time.monotonic() + COME_FOR_S * 2
        while time.monotonic() < end and given < 3:
            with suppress(psycopg.OperationalError):
                given += len(self._installation.query(REQUEUE))
            time.sleep(0.2)
        self.notes.append(f"{given} jobs in hand were given away again")

    def _replay_jobs(self, _: dict[str, Any]) -> None:
        """Every job of every photo once more, while some are still under way."""
        for statement in (REPLAY_SESSIONS, REPLAY_IMAGES, REPLAY_BLOBS):
            number = len(self._wait_for(lambda s=statement: self._installation.query(s)))
            self.notes.append(f"{number} jobs once more")

    def _kill_some(self, word: str, times: int, number: int = signal.SIGKILL) -> None:
        for _ in range(times):
            pids = self._wait_for(lambda: self._pids(word))
            self._signal(self._chance.choice(pids), number, word)
            time.sleep(self._chance.uniform(*BETWEEN_KILLS_S))

    def _pids(self, word: str) -> list[int]:
        return self._installation.processes_of(word)

    def _signal(self, pid: int | None, number: int, what: str) -> None:
        with suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, number)
                self.notes.append(f"{signal.Signals(number).name} to {what[:60]}")

    def _wait_for(self, question: Callable[[], Any]) -> Any:
        end = time.monotonic() + COME_FOR_S
        while True:
            with suppress(psycopg.OperationalError, OSError, subprocess.SubprocessError):
                answer = question()
                if answer:
                    return answer
            assert time.monotonic() < end, "there was nobody to do it to"
            time.sleep(0.1)
