"""Machines of a test: network namespaces with addresses of their own on a bridge of their own.

Nothing of it touches the machine's own network; all of it goes with the test. It takes root.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg

from demeter.core.localdb import LocalDatabase

NETWORK = "10.231.77"
DATABASE_NAME, PORT = "demeter", 5432
Answer = TypeVar("Answer")

START_DATABASE = """
import sys
from pathlib import Path
from demeter.core.localdb import LocalDatabase, sockets
alone = sockets.server_options
sockets.server_options = lambda where: alone(where).replace("addresses=''", "addresses='*'")
LocalDatabase(Path(sys.argv[1]), durable=False).ensure_running()
"""


def missing() -> str | None:
    """What such machines need and is not here, or nothing."""
    if os.geteuid() != 0:
        return "root"
    if shutil.which("ip") is None:
        return "the program ip (iproute2)"
    probe = f"dmt-{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    if made.returncode != 0:
        return f"network namespaces ({made.stderr.decode().strip()})"
    subprocess.run(["ip", "netns", "delete", probe], check=False)
    return None


@dataclass
class Machine:
    """A namespace with one address; what runs in it is started by `start`."""

    name: str
    space: str
    address: str
    hub: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.space, *words]

    def start(
        self, *words: str, log: Path, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            process = subprocess.Popen(
                self.command(*words),
                env=os.environ | (environment or {}),
                stdout=file,
                stderr=file,
            )
        self.processes.append(process)
        return process

    def cut(self) -> None:
        """Pull its cable: what it sends and what it is sent is lost without a word."""
        self._link("down")

    def join(self) -> None:
        self._link("up")

    def _link(self, state: str) -> None:
        _ip("-n", self.hub, "link", "set", f"to-{self.name}", state)

    def inside(self, act: Callable[[], Answer]) -> Answer:
        """What ``act`` gives, done in a thread whose sockets are of this machine."""

        def run() -> Answer:
            descriptor = os.open(f"/run/netns/{self.space}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(descriptor)
            return act()

        with ThreadPoolExecutor(1) as thread:  # it ends with its answer: no other act is there
            return thread.submit(run).result()

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


class Network:
    """A hub and machines on it."""

    def __init__(self) -> None:
        self._mark = f"dmt-{secrets.token_hex(3)}"
        self.hub = f"{self._mark}-hub"
        self.machines: list[Machine] = []

    def machine(self, name: str) -> Machine:
        """One more machine, up and on the bridge."""
        space = f"{self._mark}-{name}"
        made = Machine(name, space, f"{NETWORK}.{10 + len(self.machines)}", self.hub)
        self.machines.append(made)
        _ip("netns", "add", space)
        ends = "name", "eth0", "type", "veth", "peer", "name", f"to-{name}", "netns", self.hub
        _ip("-n", space, "link", "add", *ends)
        _ip("-n", space, "address", "add", f"{made.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", space, "link", "set", device, "up")
        _ip("-n", self.hub, "link", "set", f"to-{name}", "master", "bridge")
        made.join()
        return made

    def open(self) -> None:
        _ip("netns", "add", self.hub)
        _ip("-n", self.hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.hub, "link", "set", "bridge", "up")

    def close(self) -> None:
        for machine in reversed(self.machines):
            machine.stop()
        for space in (*(machine.space for machine in self.machines), self.hub):
            subprocess.run(["ip", "netns", "delete", space], check=False)


@contextmanager
def network() -> Iterator[Network]:
    made = Network()
    try:
        made.open()
        yield made
    finally:
        made.close()


@contextmanager
def database_on(machine: Machine, home: Path) -> Iterator[tuple[str, str]]:
    """PostgreSQL on a machine; its URL from others, and the one of this process (a socket)."""
    database = LocalDatabase(home)
    subprocess.run(
        machine.command(sys.executable, "-c", START_DATABASE, str(home)), check=True, timeout=180
    )
    try:
        with (database.data_dir / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0/24 trust\n")
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield f"postgresql://demeter@{machine.address}:{PORT}/{DATABASE_NAME}", database.url
    finally:
        database.stop()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
