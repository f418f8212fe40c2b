"""One installation of a run: a home, `demeter up` with its processes, and what stands around."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from demeter.core.crash_points import VARIABLE
from demeter.core.localdb import LocalDatabase
from harness.wires import Wire
from support.object_store import KEYS, Bucket
from support.upserver import TOKEN, free_port

START_S = 180.0  # a machine with other work to do
FAKED_CLOCK = Path(__file__).parent / "faked_clock"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@dataclass
class Installation:
    """Everything of a run that can be broken, and the ways to look at it.

    The embedded database is kept by `demeter up`, unless a wire leads to it: then it stands
    outside, as another machine's would.
    """

    folder: Path
    home: Path
    bucket: Bucket | None = None
    database_wire: Wire | None = None
    store_wire: Wire | None = None
    has_own_clock: bool = False
    temporary: Path | None = None
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.database = LocalDatabase(self.home)
        self.temporary = self.temporary or self.folder / "tmp"
        self.log = self.log or self.folder / "up.log"
        self.crash_points = self.folder / "crash-points"
        for place in (self.temporary, self.crash_points):
            place.mkdir(parents=True, exist_ok=True)
        self.clock = self.folder / "clock"
        self.clock.write_text("+0")

    def environment(self) -> dict[str, str]:
        """Of all processes of Demeter in this run."""
        # Processes start often here: they shall not compile everything each time.
        strange = ("DEMETER_", "AWS_", "PYTHONDONTWRITEBYTECODE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(strange)}
        variables = kept | {
            "DEMETER_HOME": str(self.home),
            "DEMETER_PORT": str(self.port),
            "DEMETER_VISION_THREADS": "1",
            "DEMETER_WORKER_STALLED_S": "4",
            "DEMETER_WORKER_HEARTBEAT_S": "0.7",
            "DEMETER_LOG_FORMAT": "json",
            "DEMETER_DECODER_PROCESSES": "1",
            "TMPDIR": str(self.temporary),
            VARIABLE: str(self.crash_points),
        }
        if self.database_wire is not None:
            address = f"127.0.0.1:{self.database_wire.port}"
            variables["DEMETER_DATABASE_URL"] = f"postgresql://demeter@{address}/demeter"
        if self.bucket is not None:
            port = self.store_wire.port if self.store_wire else self.bucket.port
            variables |= KEYS | {
                "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
                "DEMETER_OBJECT_STORE_URL": f"s3://photos/{self.folder.name}",
            }
        if self.has_own_clock:
            variables |= {
                "LD_PRELOAD": str(FAKETIME),
                "PYTHONPATH": os.pathsep.join([str(FAKED_CLOCK), kept.get("PYTHONPATH", "")]),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }
        return variables

    def start(self) -> None:
        """Start `demeter up`, as a service manager does, again where the port is still taken."""
        assert self.log is not None
        if self.database_wire is not None:
            self.database.ensure_running()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demeter", "up"],
                env=self.environment(),
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    def keep_up(self) -> None:
        """What a service manager does: start again what ended."""
        if self.process is None or self.process.poll() is not None:
            self.start()

    def wait_until_ready(self) -> None:
        """Until it answers, or `START_S` have passed."""
        end = time.monotonic() + START_S
        while not self.is_ready():
            self.keep_up()
            assert time.monotonic() < end, f"`demeter up` does not answer within {START_S:.0f} s"
            time.sleep(0.2)

    def is_ready(self) -> bool:
        """Whether web and database answer."""
        try:
            return httpx2.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def start_worker(self) -> None:
        """One more worker, for all queues."""
        with (self.folder / "worker.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "demeter", "worker"],
                env=self.environment(),
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        self.workers.append(process)

    def command(self, *words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """A command of Demeter's, run to its end."""
        return subprocess.run(
            [sys.executable, "-m", "demeter", *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def ask(self, method: str, path: str, **parts: Any) -> httpx2.Response:
        """A request, with the token of the run."""
        headers = {"Authorization": f"Bearer {TOKEN}", **parts.pop("headers", {})}
        return httpx2.request(
            method, f"{self.address}/api/v1{path}", headers=headers, timeout=30, **parts
        )

    def query(self, sql: str, parameters: Any = None) -> list[Any]:
        """Rows straight from the database, past every wire."""
        with psycopg.connect(self.database.url, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    def pids(self) -> dict[int, str]:
        """Processes of the run, by the words of their command, the supervisor too."""
        own = {}
        mark = f"DEMETER_HOME={self.home}".encode()
        readers = f"TMPDIR={self.temporary}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                variables = (place / "environ").read_bytes().split(b"\0")
                if mark in variables or readers in variables:
                    words = (place / "cmdline").read_bytes().replace(b"\0", b" ")
                    own[int(place.name)] = words.decode(errors="replace").strip()
        return own

    def processes_of(self, word: str) -> list[int]:
        """Those whose command has a word in it, oldest first."""
        return sorted(pid for pid, words in self.pids().items() if word in words)

    def backends(self) -> dict[int, str]:
        """PostgreSQL's processes but the first, by what they say they do."""
        first = self.postmaster()
        if first is None:
            return {}
        found = {}
        with suppress(OSError):
            for pid in Path(f"/proc/{first}/task/{first}/children").read_text().split():
                with suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(pid)] = words.decode(errors="replace").strip()
        return found

    def postmaster(self) -> int | None:
        """PostgreSQL's first process."""
        try:
            pid = int((self.home / "database" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if Path(f"/proc/{pid}").exists() else None

    def fired(self) -> list[str]:
        """Steps at which a process died, in order."""
        with suppress(FileNotFoundError):
            return [line.split()[0] for line in (self.crash_points / "fired").open()]
        return []

    def log_lines(self) -> Iterator[dict[str, Any]]:
        """The lines of the log that are JSON."""
        assert self.log is not None
        for line in self.log.read_text(errors="replace").splitlines():
            with suppress(ValueError):
                fields = json.loads(line)
                if isinstance(fields, dict):
                    yield fields

    def stop(self) -> list[str]:
        """End everything; the commands of processes that did not end by themselves."""
        for process in [*self.workers, *([self.process] if self.process else [])]:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in [*self.workers, *([self.process] if self.process else [])]:
            try:
                process.wait(45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        left = self._end_the_rest()
        with suppress(Exception):
            self.database.stop()
        for wire in (self.database_wire, self.store_wire):
            if wire is not None:
                wire.close()
        return left

    def _end_the_rest(self) -> list[str]:
        end = time.monotonic() + 5
        while self.pids() and time.monotonic() < end:
            time.sleep(0.1)
        left = self.pids()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return sorted(left.values())


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[bool]:
    """A disk of that size in memory at a place, where this machine lets us mount one."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(place)]
    is_mounted = (
        os.geteuid() == 0 and not subprocess.run(mount, check=False, capture_output=True).returncode
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=False)
