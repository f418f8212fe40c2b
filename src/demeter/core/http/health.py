"""``/health/live`` says that the process runs; ``/health/ready`` that it can do its work."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request, Response
from sqlalchemy import text

from demeter.core import db, jobs, logs, private_files
from demeter.core.errors import chain
from demeter.core.loopback import is_loopback
from demeter.core.settings import settings

PROBE_BYTES = 65_536
router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Whether the process runs")
def live() -> dict[str, str]:
    """It asks nothing of the database or the disk."""
    return {"status": "ok"}


@router.get("/ready", summary="Whether uploads can be accepted", responses={503: {}})
def ready(request: Request, response: Response) -> dict[str, Any]:
    """Each part that an upload needs, checked now; 503 if one is missing.

    ``workers`` is reported and not required: accepted photos wait safely without one. Where
    files are kept, a file is written. Other machines are told which parts are well, no more.
    """
    checks = {
        "database": _check(_database),
        "storage": _check(_storage),
        "temporary_files": _check(_temporary_files),
        "log": _check(_log),
    }
    is_ready = all(check["ok"] for check in checks.values())
    response.status_code = 200 if is_ready else 503
    if request.client is None or not is_loopback(request.client.host):
        checks = {part: {"ok": check["ok"]} for part, check in checks.items()}
    return {"status": "ok" if is_ready else "unavailable", "checks": checks}


def _check(probe: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ok": True} | probe()
    except Exception as error:  # noqa: BLE001  any error is the answer
        return {"ok": False, "error": chain(error)}


def _database() -> dict[str, Any]:
    """Reachable, writable, and its schema the one this code was written for."""
    with db.transaction() as session:
        revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(text("SELECT FROM blob_inbox LIMIT 0"))
        read_only = session.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
        workers = jobs.workers_alive(session)
    head = ScriptDirectory(str(db.migrations())).get_current_head()
    ok = revision == head and not read_only
    return {"ok": ok, "schema": revision, "schema_wanted": head, "workers": workers}


def _storage() -> dict[str, Any]:
    """The local directory, for the cache and, without an object store, for the photos."""
    home = settings().home
    private_files.make_directory(home)
    _write_probe(home)
    return {"home": str(home)}


def _temporary_files() -> dict[str, Any]:
    """Where an upload lies while it comes in."""
    place = Path(tempfile.gettempdir())
    _write_probe(place)
    return {"directory": str(place)}


def _log() -> dict[str, Any]:
    """Whether what is logged is written; what is not is counted."""
    lost = logs.output.lost
    return {"ok": lost == 0, "lost_lines": lost}


def _write_probe(directory: Path) -> None:
    """Write a small file and remove it.

    Raises:
        OSError: it cannot be written; the message names the directory.
    """
    try:
        with tempfile.TemporaryFile(dir=directory, prefix="ready-") as probe:
            probe.write(b"\0" * PROBE_BYTES)
            probe.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(directory)) from None
