"""What a process knows by itself, also while the database is away: disks, files, certificate."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from cryptography import x509
from prometheus_client.core import Metric

import demeter
from demeter.core import logs
from demeter.core.settings import settings
from demeter.monitoring.families import Row, counter, gauge

SHIPPED_FILES = {"detect": "plants.onnx", "segment": "containers.onnx", "judge": "judge.onnx"}


def figures() -> Iterator[Metric]:
    """Every figure that needs no database."""
    yield gauge("demeter_info", "Which Demeter runs.", ("version",), [(demeter.version(), 1)])
    rows = list(_disks())
    about = "Room on the disk of a place: home, temporary, log (where it is a file)."
    free = [(place, free) for place, free, _ in rows]
    yield gauge("demeter_disk_free_bytes", about, ("place",), free)
    about = "All the room on that disk."
    yield gauge(
        "demeter_disk_size_bytes", about, ("place",), [(place, size) for place, _, size in rows]
    )
    about = "Lines of the log that could not be written."
    yield counter("demeter_log_lines_lost", about, rows=[(logs.output.lost,)])
    about = "Whether a model that ships with Demeter is there and whole."
    yield gauge("demeter_model_file_ok", about, ("file",), _model_files())
    about = "When the certificate that is served with runs out."
    yield gauge("demeter_certificate_expires_timestamp_seconds", about, rows=_certificate())


def _disks() -> Iterator[Row]:
    places: dict[str, int | Path | None] = {
        "home": settings().home,
        "temporary": Path(tempfile.gettempdir()),
        "log": _log_file(),
    }
    for place, where in places.items():
        try:
            disk = os.statvfs(where) if where is not None else None
        except OSError:
            continue  # a place that is not there has no room to tell
        if disk is not None:
            yield place, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


def _log_file() -> int | None:
    """Standard error, where it is a file; a terminal or a pipe has no disk."""
    try:
        number = sys.__stderr__.fileno() if sys.__stderr__ else -1
        return number if stat.S_ISREG(os.fstat(number).st_mode) else None
    except (OSError, ValueError):
        return None


def weights_folder() -> Path:
    """Where the shipped models lie; asked so that the vision runtime need not be loaded."""
    return Path(str(files("demeter.vision.networks") / "weights"))


@lru_cache(maxsize=1)
def shipped_hashes() -> dict[str, str]:
    """The hash that each shipped file must have."""
    lines = (weights_folder() / "SHA256SUMS").read_text().splitlines()
    return {name: sha256 for sha256, name in (line.split() for line in lines)}


def _model_files() -> Iterator[Row]:
    for name in SHIPPED_FILES.values():
        path = weights_folder() / name
        try:
            status = path.stat()
            is_whole = _hash(path, status.st_mtime_ns, status.st_size) == shipped_hashes()[name]
        except OSError:
            is_whole = False
        yield name, int(is_whole)


@lru_cache(maxsize=8)
def _hash(path: Path, _changed_ns: int, _size_bytes: int) -> str:
    """Read once, and again when the file is another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _certificate() -> list[Row]:
    path = settings().tls_certificate
    if path is None:
        return []
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        return [(0,)]  # what cannot be read serves nobody
    return [(certificate.not_valid_after_utc.timestamp(),)]
