"""A backup with what is written down of it: when it was, and why it failed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from demeter.core import backup_runs
from demeter.core.db import transaction
from demeter.core.errors import DomainError, chain
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.ops.backup.manifest import BackupManifest
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import Repository, open_repository
from demeter.ops.backup.retention import clear_old
from demeter.ops.backup.run import SCRATCH, Progress, alone, make_backup, no_progress


def keep(address: str, progress: Progress = no_progress) -> BackupManifest:
    """Make a backup at a place and write down what became of it.

    At ``DEMETER_BACKUP_PLACE`` those that are too old go afterwards; at any other nothing goes.

    Raises what `make_backup` and `open_repository` raise.
    """
    with transaction() as session:
        run_id = backup_runs.begin(session, address)
    try:
        repository = open_repository(place_of(address), create=True)
        manifest = make_backup(repository, progress)
    except Exception as error:
        failure = Notice("backup_failed", {"why": chain(error)[:500], "code": _code_of(error)})
        with transaction() as session:
            backup_runs.end_badly(session, run_id, failure)
        raise
    with transaction() as session:
        backup_runs.end_well(
            session,
            run_id,
            manifest.name,
            blobs=manifest.blob_count,
            new_bytes=manifest.new_bytes,
            missing=len(manifest.missing),
        )
    if address == settings().backup_place:
        _clear_old(repository)
    return manifest


def _code_of(error: Exception) -> str:
    return error.code if isinstance(error, DomainError) else "unexpected_error"


def _clear_old(repository: Repository) -> None:
    with alone(), TemporaryDirectory(dir=settings().home, prefix=SCRATCH) as folder:
        clear_old(repository, settings(), Path(folder))
