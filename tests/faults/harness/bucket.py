"""An object store by S3's rules on loopback: SeaweedFS, which tells nobody of itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

WEED = Path(sys.executable).with_name("weed")
SERVERS = ("master", "volume", "filer", "s3", "admin")
KEYS = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "demeter",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
START_S = 60


class Bucket:
    """A bucket ``photos`` whose server can be killed and started again on what it kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        base = _free_base()
        self.port = base + SERVERS.index("s3")
        self._ports = [f"-{name}.port={base + n}" for n, name in enumerate(SERVERS)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        quiet = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        bound = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
        self._process = subprocess.Popen(
            [WEED, "mini", f"-dir={self._folder}", "-bucket=photos", *bound, *self._ports, *quiet],
            env={name: KEYS[name] for name in KEYS if name != "AWS_REGION"}
            | {"HOME": str(self._folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                httpx2.get(f"http://127.0.0.1:{self.port}/")
            except httpx2.TransportError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"the S3 server did not answer within {START_S} s")

    def kill(self) -> None:
        """As by ``kill -9``."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def _free_base() -> int:
    """A port such that its neighbours, and those 10,000 above for gRPC, are free too."""
    for base in range(25_200, 29_000, 20):
        if not any(
            _is_taken(base + n) or _is_taken(base + n + 10_000) for n in range(len(SERVERS))
        ):
            return base
    raise AssertionError("no free ports on loopback")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
