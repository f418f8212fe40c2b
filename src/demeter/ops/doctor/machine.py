"""Checks of what lies on this machine: Python, programs, directories, models, pages."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from demeter.core import blobs
from demeter.core.localdb import programs
from demeter.core.settings import settings
from demeter.ops.doctor.findings import Finding, failure, ok, warning
from demeter.ops.restore_mark import require_finished

OLDEST_PYTHON = (3, 11)
FREE_BYTES_NEEDED = 500_000_000
FREE_BYTES_WISHED = 5_000_000_000
MODELS = ("containers.onnx", "judge.onnx", "plants.onnx")
PROBE = b"demeter doctor was here\n"


def python(part: str) -> Finding:
    """The interpreter is new enough."""
    version = f"{platform.python_version()} in {sys.prefix}"
    if sys.version_info < OLDEST_PYTHON:
        return failure(part, version, "Install Python 3.11 or later, then run `make setup`.")
    return ok(part, version)


def postgresql(part: str) -> Finding:
    """There are programs to run a cluster with, or a server is named."""
    if settings().database_url:
        return ok(part, "not needed: DEMETER_DATABASE_URL names a server")
    installation = programs.find(settings().home)
    return ok(part, f"PostgreSQL {installation.major} with PostGIS in {installation.bin_dir}")


def home(part: str) -> Finding:
    """DEMETER_HOME takes files."""
    where = settings().home
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=where) as probe:
        probe.write(PROBE)
        probe.flush()
    return ok(part, str(where))


def cache(part: str) -> Finding:
    """The cache takes files; without it every photo is fetched from the store each time."""
    where = settings().home / "cache"
    where.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=where):
        return ok(part, str(where))


def restore(part: str) -> Finding:
    """No restore was begun into this home and cut off."""
    require_finished()
    return ok(part, "none was cut off")


def disk(part: str) -> Finding:
    """There is room for photos and for the database."""
    free = shutil.disk_usage(_nearest_existing(settings().home)).free
    state = f"{free / 1e9:.1f} GB free"
    mend = "Free some space, or move DEMETER_HOME to a larger disk."
    if free < FREE_BYTES_NEEDED:
        return failure(part, state, mend)
    return warning(part, state, mend) if free < FREE_BYTES_WISHED else ok(part, state)


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)


def object_store(part: str) -> Finding:
    """What is put into the object store comes out of it."""
    key = blobs.sha256_of(PROBE)
    blobs.store().put(key, PROBE)
    if blobs.store().get(key) != PROBE:
        return failure(part, f"{blobs.bucket()} gives other bytes back", "Check the store.")
    return ok(part, settings().object_store_url or str(settings().home / "objects"))


def models(part: str) -> Finding:
    """The shipped models are there, and are those that were shipped."""
    # The registry knows the folder, too, and takes a second to import.
    folder = Path(str(files("demeter.vision.networks") / "weights"))
    expected_digests = _digests_by_name(folder / "SHA256SUMS")
    digests = {name: _sha256(folder / name) for name in MODELS}
    wrong = [
        name for name in MODELS if not digests[name] or digests[name] != expected_digests.get(name)
    ]
    if wrong:
        mend = "Check the project out again, or install it again."
        return failure(part, f"missing or changed: {', '.join(wrong)}", mend)
    return ok(part, ", ".join(f"{name} {digest[:12]}" for name, digest in digests.items()))


def _digests_by_name(sums: Path) -> dict[str, str]:
    """The hash of each file by its name, as `sha256sum` writes them."""
    pairs = (line.split() for line in sums.read_text().splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def pages(part: str) -> Finding:
    """The pages' scripts and styles are built."""
    build_dir = Path(str(files("demeter"))) / "web" / "static" / "dist"
    count = sum(len(names) for _, _, names in os.walk(build_dir))
    if not count:
        return failure(part, f"nothing in {build_dir}", "Run `make setup`; it builds them.")
    return ok(part, f"{count} files in {build_dir}")
