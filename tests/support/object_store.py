"""An object store by S3's rules on loopback: SeaweedFS, which tells nobody of itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from demeter.core import blobs
from demeter.core.settings import settings

WEED = Path(sys.executable).with_name("weed")
SERVERS = ("master", "volume", "filer", "s3", "admin")
KEYS = {"AWS_ACCESS_KEY_ID": "demeter", "AWS_SECRET_ACCESS_KEY": "secret"}
START_S = 60


PORTS = 20  # of a base; the last one says that the others are spoken for
_spoken_for: list[socket.socket] = []


def free_base(first: int = 21_000) -> int:
    """A port such that its neighbours, and those 10,000 above for gRPC, are free too.

    It stays with this process until that ends: tests beside this one take another, whether or not
    a server runs behind it. An outage would be none with somebody else's server at its address.
    """
    for base in range(first, first + 4000, PORTS):
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", base + PORTS - 1))
        except OSError:
            held.close()
            continue
        if not any(
            _is_taken(base + n + above) for n in range(len(SERVERS)) for above in (0, 10_000)
        ):
            _spoken_for.append(held)
            return base
        held.close()
    raise AssertionError("no free ports on loopback")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def endpoint(base: int, address: str = "127.0.0.1") -> str:
    """Where S3 is asked, of servers whose ports begin there."""
    return f"http://{address}:{base + SERVERS.index('s3')}"


def weed(folder: Path, base: int, address: str = "127.0.0.1") -> list[str]:
    """The command that serves a bucket ``photos`` on one address alone."""
    ports = [f"-{name}.port={base + n}" for n, name in enumerate(SERVERS)]
    quiet = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    bound = [f"-ip={address}", f"-ip.bind={address}", "-master.telemetry=false"]
    return [str(WEED), "mini", f"-dir={folder}", "-bucket=photos", *bound, *ports, *quiet]


def weed_environment(folder: Path) -> dict[str, str]:
    """All that its process is told of this machine."""
    return KEYS | {"HOME": str(folder)}


class Bucket:
    """A server that can be ended, or killed, and started again on what it kept."""

    def __init__(self, folder: Path, base: int) -> None:
        self._folder, self._base = folder, base
        folder.mkdir(parents=True, exist_ok=True)
        self.port = base + SERVERS.index("s3")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = process = subprocess.Popen(
            weed(self._folder, self._base),
            env=weed_environment(self._folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            assert process.poll() is None, "the S3 server ended"
            with suppress(httpx2.TransportError):
                httpx2.get(endpoint(self._base))
                return
            time.sleep(0.1)
        raise AssertionError(f"the S3 server did not answer within {START_S} s")

    def end(self) -> None:
        """As a service manager ends it."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
        self.kill()

    def kill(self) -> None:
        """As by ``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def s3(folder: Path, base: int) -> Iterator[None]:
    """A server for so long."""
    bucket = Bucket(folder, base)
    try:
        bucket.start()
        yield
    finally:
        bucket.end()


@pytest.fixture
def base(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The first port of an S3 server that is the object store of this test, once it runs."""
    port = free_base()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT", endpoint(port))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("DEMETER_OBJECT_STORE_URL", "s3://photos/demeter")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    blobs.store.cache_clear()
    yield port
    blobs.store.cache_clear()
