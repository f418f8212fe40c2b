"""One run from its seed: built up, lived through, broken, judged, and cleared away."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demeter.core.errors import DomainError
from demeter.core.localdb import programs
from demeter.core.localdb.sockets import SOCKET_NAME, socket_dir
from harness.breaking import Breaker
from harness.clients import People
from harness.ground import Ground, copy_home
from harness.installation import FAKETIME, Installation, small_disk
from harness.judge import Finding, Judge
from harness.plan import Plan
from harness.wires import Wire
from support.object_store import Bucket, free_base

HOME_DISK, TEMPORARY_DISK, LOG_DISK = "400m", "3m", "1m"


class NotHere(Exception):
    """This machine lacks what a fault needs, such as leave to mount a disk."""


@dataclass
class Result:
    """A run's figures, as a line of the results has them."""

    seed: int
    faults: list[str]
    fired: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    recovery_s: float | None = None
    accepted: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    log_errors: dict[str, int] = field(default_factory=dict)
    wall_s: float = 0.0
    left_out: str | None = None  # why it was not made

    def as_json(self) -> dict[str, Any]:
        """A line."""
        return dataclasses.asdict(self)


class Runs:
    """Makes runs; the ground and the bucket's server are there for all of them."""

    def __init__(self, folder: Path, ground: Ground) -> None:
        self._folder = folder
        self._ground = ground
        self._bucket: Bucket | None = None

    def make(self, plan: Plan) -> Result:
        """One run; its folder stays if anything does not hold."""
        begin = time.monotonic()
        folder = self._folder / f"run-{plan.seed}"
        _clear(folder)
        result = Result(plan.seed, [str(fault) for fault in plan.faults])
        with ExitStack() as disks:
            try:
                installation = self._install(plan, folder, disks)
            except NotHere as error:
                result.left_out = str(error)
                return result
            self._live(plan, installation, result)
            if result.findings:
                _keep_evidence(installation, plan, result)
        result.wall_s = round(time.monotonic() - begin, 1)
        if not result.findings:
            _clear(folder)
        return result

    def close(self) -> None:
        """End the bucket's server."""
        if self._bucket is not None:
            self._bucket.kill()

    def _bucket_server(self) -> Bucket:
        if self._bucket is None:
            self._bucket = Bucket(self._folder / "bucket", free_base(25_200))
            self._bucket.start()
        return self._bucket

    def _install(self, plan: Plan, folder: Path, disks: ExitStack) -> Installation:
        folder.mkdir(parents=True)
        home, temporary, log = folder / "home", folder / "tmp", folder / "log" / "up.log"
        log.parent.mkdir()
        for kind, place, size in (
            ("full_home", home, HOME_DISK),
            ("full_temporary", temporary, TEMPORARY_DISK),
            ("full_log", log.parent, LOG_DISK),
        ):
            if plan.has({kind}) and not disks.enter_context(small_disk(place, size)):
                raise NotHere("only root can mount a small disk")
        if plan.has({"clock_jump"}) and not FAKETIME.exists():
            raise NotHere("libfaketime is not installed")
        copy_home(self._ground, home)
        database_wire = store_wire = bucket = None
        if plan.has({"wire_database"}):
            sockets = socket_dir(home / "database")
            database_wire = Wire(str(sockets / SOCKET_NAME), plan.seed)
        if plan.has_bucket:
            bucket = self._bucket_server()
            store_wire = Wire(("127.0.0.1", bucket.port), plan.seed)
        return Installation(
            folder,
            home,
            bucket=bucket,
            database_wire=database_wire,
            store_wire=store_wire,
            has_own_clock=plan.has({"clock_jump"}),
            temporary=temporary,
            log=log,
        )

    def _live(self, plan: Plan, installation: Installation, result: Result) -> None:
        breaker = Breaker(installation, plan)
        people = People(installation, self._ground.photos, plan)
        judge = Judge(installation, people.promises, self._ground.photos, plan)
        try:
            installation.start()
            installation.wait_until_ready()
            if plan.has({"two_workers", "pause_worker"}):
                installation.start_worker()
            breaker.arm()
            breaker.begin()
            people.begin()
            over_at = breaker.wait()
            people.wait()
            judge.wait(max(over_at, people.last_photo_at))
            result.findings += judge.findings()
        except Exception as error:  # noqa: BLE001  the run itself went wrong: kept like a finding
            result.findings.append(Finding("unclear", f"{type(error).__name__}: {error}"))
        finally:
            breaker.stop()
            left = installation.stop()
        result.findings += [Finding("stuck", f"a process stays: {words}") for words in left]
        result.findings += [Finding("unclear", f"no fault: {words}") for words in breaker.faults]
        result.fired, result.notes = installation.fired(), breaker.notes
        result.recovery_s = judge.recovery_s and round(judge.recovery_s, 1)
        result.accepted = sum(len(ids) for ids in people.promises.sessions.values())
        result.answers = dict(people.promises.asked)
        for line in installation.log_lines():
            if line.get("level") in ("error", "critical"):
                event = str(line.get("event"))[:60]
                result.log_errors[event] = result.log_errors.get(event, 0) + 1


def _keep_evidence(installation: Installation, plan: Plan, result: Result) -> None:
    """Log, plan, findings, and the database as SQL; of the home only what is small."""
    folder = installation.folder
    (folder / "findings.json").write_text(json.dumps(result.as_json(), indent=1, default=str))
    (folder / "plan.txt").write_text("\n".join(map(str, [*plan.acts, *plan.faults])) + "\n")
    try:
        _dump_database(installation)
    except (DomainError, OSError) as error:  # the findings are worth more than the dump
        (folder / "database.sql").write_text(f"-- no dump: {error}\n")
    for name in ("log", "tmp"):
        place = folder / name
        if place.is_mount():
            shutil.copytree(place, folder / f"{name}-kept", dirs_exist_ok=True)
    shutil.rmtree(installation.home / "database", ignore_errors=True)


def _dump_database(installation: Installation) -> None:
    url = installation.database.ensure_running()
    dump = programs.find(installation.home).path("pg_dump")
    try:
        with (installation.folder / "database.sql").open("wb") as out:
            command = [dump, "--exclude-table-data=blob_inbox", url]
            subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=False)
    finally:
        installation.database.stop()


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
