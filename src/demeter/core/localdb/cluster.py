"""The embedded cluster's life: made, started, stopped."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.pq import PGconn, Ping

from demeter.core.localdb import accounts, config, execution, programs, sockets, stale_locks
from demeter.core.localdb.errors import LocalDatabaseFailed

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
STALE_LOCK_TIMEOUT_S = 30
RETRY_S = 0.25


@dataclass(frozen=True)
class Status:
    """What the embedded database is doing; ``major`` is its PostgreSQL version.

    While it is ``busy`` its server lives and takes nobody in: it starts, recovers from the
    death of one of its processes, or stops. It needs no help.
    """

    state: Literal["absent", "stopped", "busy", "running"]
    data_dir: Path
    major: int | None

    @property
    def is_down(self) -> bool:
        """Whether no server lives: only then is one started."""
        return self.state in ("absent", "stopped")


class LocalDatabase:
    """The private cluster under ``home``, with its one database ``demeter``.

    With ``durable=False`` a new cluster does not wait for the disk (tests).
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.expanduser().absolute()
        self.data_dir = self.home / "database"
        self._durable = durable

    @property
    def url(self) -> str:
        """The libpq URL of the database, whether or not it runs."""
        return sockets.socket_url(self.data_dir, config.DATABASE)

    def ensure_running(self) -> str:
        """Make and start the cluster where needed; any number of processes may ask at once.

        Returns:
            The libpq URL of the database ``demeter``, which has PostGIS.

        Raises:
            PostgresProgramsMissing: there is no PostgreSQL with PostGIS to run.
            LocalDatabaseFailed: it does not start; the message ends with PostgreSQL's own words.
        """
        if not self._accepts_connections():
            with self._lock():
                accounts.check_may_run(self.data_dir)
                if not self.data_dir.exists():
                    self._create()
                self._start()
                self._ensure_database()
        return self.url

    def stop(self) -> None:
        """Stop the server, rolling open transactions back; nothing happens if it is stopped.

        Raises:
            LocalDatabaseFailed: it does not stop.
        """
        if not self.data_dir.exists():
            return
        with self._lock():
            if self._ping() is not Ping.NO_RESPONSE:
                accounts.check_may_run(self.data_dir)
                self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_TIMEOUT_S))
                sockets.release(self.data_dir)

    def status(self) -> Status:
        """Whether the cluster exists and answers; starts nothing."""
        if not self.data_dir.exists():
            return Status("absent", self.data_dir, None)
        return Status(_STATES.get(self._ping(), "stopped"), self.data_dir, self._major())

    def _create(self) -> None:
        """Make the cluster beside its place and rename it, so that it is there whole or not."""
        owner = accounts.owner(self.data_dir)
        new = self.home / "database.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        os.chown(new, owner.uid, owner.gid)
        self._run(
            "initdb", "--username", config.ROLE, "--auth", "peer", "--encoding", "UTF8",
            "--locale", "C.UTF-8", "--data-checksums", "--no-instructions",
            *([] if self._durable else ["--no-sync"]), data_dir=new,
        )  # fmt: skip
        config.write(new, owner, durable=self._durable)
        new.rename(self.data_dir)

    def _start(self) -> None:
        """Start the server, or wait for one that lives until it takes connections.

        A server that recovers must not be started again: that would be refused. A hard kill
        leaves a lock behind, which is waited out.
        """
        sockets.claim(self.data_dir)
        start = ["start", "-w", "-t", str(START_TIMEOUT_S), "-l", f"{execution.HERE}/startup.log"]
        options = sockets.server_options(self.data_dir)
        given_up_at = time.monotonic() + START_TIMEOUT_S
        lock_given_up_at = time.monotonic() + STALE_LOCK_TIMEOUT_S
        while (answer := self._ping()) is not Ping.OK:
            if answer is Ping.REJECT:
                self._wait_until(given_up_at)
                continue
            try:
                self._run("pg_ctl", *start, "-o", options)
            except LocalDatabaseFailed as error:
                if self._ping() is not Ping.NO_RESPONSE:
                    continue  # it lives and recovers: the refusal was right
                if not stale_locks.is_about_a_lock(str(error)):
                    raise
                if time.monotonic() > lock_given_up_at:
                    raise
                stale_locks.clear_if_nobody_lives(self.data_dir, sockets.socket_dir(self.data_dir))
                time.sleep(RETRY_S)

    def _wait_until(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise LocalDatabaseFailed(
                f"The server of {self.data_dir} lives and takes no connections for "
                f"{START_TIMEOUT_S} s; its log is in {self.data_dir / 'log'}."
            )
        time.sleep(RETRY_S)

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(self._server_url, autocommit=True) as server:
                query = "SELECT FROM pg_database WHERE datname = %s"
                if server.execute(query, (config.DATABASE,)).fetchone() is None:
                    server.execute(f"CREATE DATABASE {config.DATABASE}")
            with psycopg.connect(self.url, autocommit=True) as database:
                database.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.Error as error:
            raise LocalDatabaseFailed(
                f"The embedded database in {self.data_dir} runs but refuses: {error}"
            ) from error

    def _run(self, program: str, *arguments: str, data_dir: Path | None = None) -> None:
        installation = programs.find(self.home, self._major())
        execution.run(installation, program, arguments, data_dir or self.data_dir)

    @property
    def _server_url(self) -> str:
        return sockets.socket_url(self.data_dir, "postgres")

    def _major(self) -> int | None:
        """The version that made the cluster, or None before it is made or where it is closed."""
        try:
            return int((self.data_dir / "PG_VERSION").read_text())
        except (FileNotFoundError, PermissionError):
            return None

    def _accepts_connections(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ping(self) -> Ping:
        return Ping(PGconn.ping(self._server_url.encode()))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time makes, starts or stops the cluster; freed when it dies."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.home / "database.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise LocalDatabaseFailed(
                f"{self.home} cannot be written ({error}): set DEMETER_HOME to a directory that "
                "you may write."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


_STATES: dict[Ping, Literal["busy", "running"]] = {Ping.OK: "running", Ping.REJECT: "busy"}
