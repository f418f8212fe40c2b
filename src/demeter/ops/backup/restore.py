"""The way back: photos first, each proven; then the database in one transaction, proven in it.

So no row ever names a photo that is not there, and whoever kills it finds the database as it
was before. What a killed restore brought of photos is not brought again.
"""

from __future__ import annotations

import hashlib
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from demeter.core import blobs, db, logs
from demeter.core.private_files import make_directory
from demeter.core.settings import settings
from demeter.ops import restore_mark
from demeter.ops.backup import dump, seal, table_sums
from demeter.ops.backup.blob_list import StoredBlob, blobs_by_prefix
from demeter.ops.backup.errors import BackupTooNew, HomeNotEmpty
from demeter.ops.backup.manifest import BackupManifest
from demeter.ops.backup.repository import Repository, damaged
from demeter.ops.backup.run import (
    HOME_FILES,
    SCRATCH,
    Progress,
    alone,
    blob_name,
    clear_scratch,
    no_progress,
)
from demeter.ops.backup.seal import SealBroken

FETCHED_AT_ONCE = 4
# Rows of which a new database has none: what people and photos put there.
OF_PEOPLE = ("audit_entries", "s3_images", "stock_movements", "counts", "warehouses", "products")
log = logs.get(__name__)


def restore(
    repository: Repository,
    manifest: BackupManifest,
    progress: Progress = no_progress,
    *,
    replace: bool = False,
) -> None:
    """Bring a backup into this home and its database.

    Raises:
        HomeNotEmpty: the database has rows, and ``replace`` is not said.
        BackupTooNew, BackupDamaged: nothing of it is in the database.
        DumpFailed: PostgreSQL refused, or a table was not as it had been; nothing is kept.
    """
    _require_known(manifest)
    url = db.database_url()
    make_directory(settings().home)
    if not replace and not _is_brought(url, manifest, repository.place.address):
        _require_empty(url, manifest)
    restore_mark.begin(manifest.name, repository.place.address)
    with alone(), TemporaryDirectory(dir=settings().home, prefix=SCRATCH) as folder:
        clear_scratch(Path(folder))
        database = _fetch_database(repository, manifest, Path(folder))
        home_files = _fetch_home_files(repository, manifest, Path(folder))
        _walk_blobs(repository, manifest, Path(folder), progress, keep=True)
        progress("database", 0, 1)
        dump.bring_back(url, database, manifest.tables)
        _bring_home_files(home_files)
    restore_mark.end()
    _analyze(url)
    progress("database", 1, 1)
    log.info("backup_restored", backup=manifest.name, blobs=manifest.blob_count)


def check(
    repository: Repository, manifest: BackupManifest, progress: Progress = no_progress
) -> None:
    """Read every byte of a backup and prove it; nothing is written but a copy of the dump.

    Raises:
        BackupTooNew, BackupDamaged, DumpFailed
    """
    _require_known(manifest)
    make_directory(settings().home)
    with TemporaryDirectory(dir=settings().home, prefix=SCRATCH) as folder:
        database = _fetch_database(repository, manifest, Path(folder))
        dump.read_through(db.database_url(), database)
        _fetch_home_files(repository, manifest, Path(folder))
        _walk_blobs(repository, manifest, Path(folder), progress, keep=False)


def _require_known(manifest: BackupManifest) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  slow to import

    script = ScriptDirectory(str(db.migrations()))
    known = {revision.revision for revision in script.walk_revisions()}
    if manifest.schema_revision not in known:
        raise BackupTooNew(
            f"backup {manifest.name} has the schema {manifest.schema_revision} of Demeter "
            f"{manifest.demeter}; this one knows it up to {script.get_current_head()}",
            backup=manifest.name,
            schema=manifest.schema_revision,
        )


def _is_brought(url: str, manifest: BackupManifest, place: str) -> bool:
    """Whether a restore of this backup was killed after its commit: every table is the backup's."""
    if not restore_mark.names(manifest.name, place):
        return False
    with psycopg.connect(url) as connection:
        connection.execute(table_sums.TEXT_SETTINGS)
        return dict(table_sums.table_sums(connection)) == manifest.tables


def _require_empty(url: str, manifest: BackupManifest) -> None:
    """Refuse a database with rows of people's, or with tables that are not Demeter's."""
    with psycopg.connect(url) as connection:
        there = set(table_sums.own_tables(connection))
        known = manifest.tables.keys() | db.Base.metadata.tables.keys()
        strangers = sorted(n for n in there - known if not n.startswith("procrastinate_"))
        if strangers:
            raise HomeNotEmpty(f"the database has tables of others, such as {strangers[0]}")
        for name in OF_PEOPLE:
            if name not in there:
                continue
            query = sql.SQL("SELECT EXISTS (SELECT FROM public.{})").format(sql.Identifier(name))
            row = connection.execute(query).fetchone()
            if row is not None and row[0]:
                raise HomeNotEmpty(f"the database has rows of its own, such as in {name}")


def _fetch_database(repository: Repository, manifest: BackupManifest, folder: Path) -> Path:
    path = folder / "database.dump"
    repository.fetch(manifest.database, path)
    return path


def _walk_blobs(
    repository: Repository,
    manifest: BackupManifest,
    folder: Path,
    progress: Progress,
    *,
    keep: bool,
) -> None:
    """Prove every blob of the list and, with ``keep``, put it into the object store."""
    listed = folder / "blobs.gz"
    repository.fetch(manifest.blobs, listed)
    done = 0
    progress("photos", 0, manifest.blob_count)
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as fetchers:
        for prefix, entries in blobs_by_prefix(listed):
            there = repository.place.sizes(f"photos/{prefix}")
            _require_whole(repository, entries, there)
            act = _bring_blob if keep else _read_blob
            for _ in fetchers.map(lambda blob, act=act: act(repository, blob), entries.values()):
                done += 1
                progress("photos", done, manifest.blob_count)


def _require_whole(
    repository: Repository, entries: dict[str, StoredBlob], there: dict[str, int]
) -> None:
    for blob in entries.values():
        name = blob_name(repository, blob.sha256)
        if name not in there:
            raise damaged(name, "is missing")
        if there[name] != blob.stored_size:
            raise damaged(name, f"has {there[name]} bytes, not {blob.stored_size}")


def _bring_blob(repository: Repository, blob: StoredBlob) -> None:
    """Into the object store of this home, unless a restore before this one brought it."""
    store = blobs.store()
    if store.size(blob.sha256) != blob.size:
        store.put(blob.sha256, _read_blob(repository, blob))


def _read_blob(repository: Repository, blob: StoredBlob) -> bytes:
    name = blob_name(repository, blob.sha256)
    try:
        with repository.place.open(name) as file:
            body = seal.open_bytes(repository.seal, file.read())
    except (FileNotFoundError, SealBroken) as error:
        raise damaged(name, f"cannot be opened: {error}") from error
    if hashlib.sha256(body).hexdigest() != blob.sha256:
        raise damaged(name, "has other bytes than were written")
    return body


def _fetch_home_files(
    repository: Repository, manifest: BackupManifest, folder: Path
) -> Path | None:
    """What of the home was kept, proven, where it was."""
    if manifest.home is None:
        return None
    path = folder / "home.tar.gz"
    repository.fetch(manifest.home, path)
    return path


def _bring_home_files(kept: Path | None) -> None:
    """What of the home was kept; what is there already stays."""
    if kept is None:
        return
    with tarfile.open(kept, mode="r:gz") as archive:
        for part in HOME_FILES:
            if not (settings().home / part).exists():
                members = [m for m in archive.getmembers() if m.name.split("/")[0] == part]
                archive.extractall(settings().home, members, filter="data")


def _analyze(url: str) -> None:
    """Tell the planner what is there now, so that the first pages are not slow."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE")
    except psycopg.Error as error:
        log.warning("analyze_failed", error=str(error))
