"""A backup: the database's moment first, then every photo that it names, the manifest last.

Photos are never changed and never leave the object store while a backup runs, so what the
database named at its moment is still there afterwards. The other way round a photo that came
between the two would be named and missing.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

import demeter
from demeter.core import blobs, db, logs
from demeter.core.crash_points import step
from demeter.core.private_files import make_directory
from demeter.core.settings import settings
from demeter.ops.backup import dump, seal, table_sums
from demeter.ops.backup.blob_list import (
    BlobListWriter,
    FormerBlobs,
    StoredBlob,
    names_by_prefix,
    write_names,
)
from demeter.ops.backup.errors import BackupDamaged, BackupUnderWay
from demeter.ops.backup.manifest import BackupManifest, StoredFile, TableSum
from demeter.ops.backup.repository import SNAPSHOTS, Repository
from demeter.ops.backup.seal import Unsealed

SENT_AT_ONCE = 4
MISSING_NAMED = 1000
SCRATCH = "backup-in-hand-"
HOME_FILES = ("tls",)  # what of the home no database holds and nothing makes again
LOCK = "SELECT pg_try_advisory_lock(hashtext('demeter.backup'))"
Progress = Callable[[str, int, int], None]
log = logs.get(__name__)


def no_progress(step: str, done: int, total: int) -> None:
    """Nobody looks."""


@dataclass
class DatabaseMoment:
    """What the database was at one moment: its dump, its sums, and the blobs that it names."""

    made_at: datetime
    revision: str
    postgres: int
    dump: StoredFile
    tables: dict[str, TableSum]
    blob_count: int


@dataclass
class SentBlobs:
    """What became of the blobs: listed, sent now, and not to be had."""

    new: int = 0
    new_bytes: int = 0
    missing: list[str] = field(default_factory=list)


def make_backup(repository: Repository, progress: Progress = no_progress) -> BackupManifest:
    """Keep everything; the former backup stays as it was, whatever happens here.

    Raises:
        BackupUnderWay: another one runs.
        BackupPlaceUnusable, DumpFailed, ObjectStoreUnavailable: it was given up; what was sent
            of photos is not sent again by the next one.
    """
    home = settings().home
    make_directory(home)
    with alone() as connection, TemporaryDirectory(dir=home, prefix=SCRATCH) as folder:
        _clear_unfinished(repository)
        clear_scratch(Path(folder))
        name = _new_name(repository)
        step("backup.begun")
        moment = _keep_database(repository, name, connection, Path(folder), progress)
        step("backup.database_kept")
        listed = BlobListWriter(Path(folder) / "blobs.gz")
        sent = _send_blobs(repository, Path(folder), listed, moment.blob_count, progress)
        listed.close()
        step("backup.photos_sent")
        manifest = _manifest(repository, name, moment, sent, listed, Path(folder))
        step("backup.before_manifest")
        repository.write_manifest(manifest)
        step("backup.after_manifest")
    log.info(
        "backup_made", backup=name, place=repository.place.address, blobs=manifest.blob_count,
        new_blobs=manifest.new_blobs, new_bytes=manifest.new_bytes, missing=len(manifest.missing),
    )  # fmt: skip
    return manifest


@contextmanager
def alone() -> Iterator[psycopg.Connection]:
    """A connection that holds the lock of backups and restores; it goes with the process.

    Raises:
        BackupUnderWay
    """
    with psycopg.connect(db.database_url(), autocommit=True) as connection:
        row = connection.execute(LOCK).fetchone()
        if row is None or not row[0]:
            raise BackupUnderWay("another backup or restore of this database runs")
        yield connection


def clear_scratch(own: Path) -> None:
    """Remove from home what killed backups and restores had in hand."""
    for path in own.parent.glob(f"{SCRATCH}*"):
        if path != own:
            shutil.rmtree(path, ignore_errors=True)


def _clear_unfinished(repository: Repository) -> None:
    repository.place.clear_partial()
    for file in repository.unfinished():
        repository.place.delete(file)


def _new_name(repository: Repository) -> str:
    """The moment, to the second; later than every name that is there, also by a wrong clock."""
    name = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    names = repository.names()
    return name if not names or name > names[-1] else f"{names[-1]}+"


def _keep_database(
    repository: Repository,
    name: str,
    connection: psycopg.Connection,
    folder: Path,
    progress: Progress,
) -> DatabaseMoment:
    """Dump, sums and names, all of one snapshot."""
    progress("database", 0, 1)
    connection.execute(table_sums.TEXT_SETTINGS)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot, made_at, revision = _row(
            connection,
            "SELECT pg_export_snapshot(), now(), (SELECT version_num FROM alembic_version)",
        )
        blob_count = write_names(connection, folder / "names")
        with (
            ThreadPoolExecutor(1) as beside,  # the dump is packed meanwhile, by another process
            dump.open_dump(db.database_url(), snapshot) as source,
        ):
            sums = beside.submit(lambda: dict(table_sums.table_sums(connection)))
            file = repository.write(f"{SNAPSHOTS}/{name}/database.dump", source)
            tables = sums.result()
    progress("database", 1, 1)
    major = connection.info.server_version // 10_000
    return DatabaseMoment(made_at, revision, major, file, tables, blob_count)


def _row(connection: psycopg.Connection, query: str) -> tuple:
    row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row


def _send_blobs(
    repository: Repository, folder: Path, listed: BlobListWriter, total: int, progress: Progress
) -> SentBlobs:
    """Send what is not there yet, two digits of the names after the other."""
    sent, done = SentBlobs(), 0
    former = FormerBlobs(_former_list(repository, folder))
    progress("photos", 0, total)
    with ThreadPoolExecutor(SENT_AT_ONCE) as senders:
        for prefix, names in names_by_prefix(folder / "names"):
            there = repository.place.sizes(f"photos/{prefix}")
            before = former.of(prefix)
            tasks = [
                senders.submit(_keep_blob, repository, sha256, there, before.get(sha256))
                for sha256 in names
            ]
            for sha256, task in zip(names, tasks, strict=True):
                blob, is_new = task.result()
                _note(sent, listed, sha256, blob, is_new=is_new)
                step("backup.photo_sent")
                done += 1
                progress("photos", done, total)
    return sent


def _note(
    sent: SentBlobs, listed: BlobListWriter, sha256: str, blob: StoredBlob | None, *, is_new: bool
) -> None:
    if blob is None:
        sent.missing.append(sha256)
        return
    listed.add(blob)
    if is_new:
        sent.new += 1
        sent.new_bytes += blob.stored_size


def _keep_blob(
    repository: Repository, sha256: str, there: dict[str, int], former: StoredBlob | None
) -> tuple[StoredBlob | None, bool]:
    """Its entry, and whether it had to be sent; ``None`` where nothing gives its bytes."""
    name = blob_name(repository, sha256)
    stored_size = there.get(name)
    if stored_size is not None and former is not None and former.stored_size == stored_size:
        return former, False
    if stored_size is not None and former is None:
        size = blobs.store().size(sha256)  # of a backup that was killed: files are whole there
        if size is not None and _fits(repository, size, stored_size):
            return StoredBlob(sha256, size, stored_size), False
    try:
        body = blobs.read_checked(sha256)
    except (blobs.BlobMissing, blobs.BlobCorrupt) as error:
        log.warning("blob_not_in_backup", sha256=sha256, error=error.code)
        return None, False
    stored = seal.seal_bytes(repository.seal, body)
    with repository.place.create(name) as file:
        file.write(stored)
    return StoredBlob(sha256, len(body), len(stored)), True


def _fits(repository: Repository, size: int, stored_size: int) -> bool:
    return stored_size == size if isinstance(repository.seal, Unsealed) else stored_size > size


def blob_name(repository: Repository, sha256: str) -> str:
    """Where a backup keeps a blob."""
    return f"{blobs.key_of(sha256)}{repository.seal.suffix}"


def _former_list(repository: Repository, folder: Path) -> Path | None:
    """The list of the last backup, where there is one that can be read."""
    names = repository.names()
    if not names:
        return None
    path = folder / "former.gz"
    try:
        repository.fetch(repository.manifest(names[-1]).blobs, path)
    except BackupDamaged as error:
        log.warning("former_backup_damaged", backup=names[-1], error=error.message)
        return None
    return path


def _manifest(
    repository: Repository,
    name: str,
    moment: DatabaseMoment,
    sent: SentBlobs,
    listed: BlobListWriter,
    folder: Path,
) -> BackupManifest:
    with (folder / "blobs.gz").open("rb") as file:
        blob_file = repository.write(f"{SNAPSHOTS}/{name}/blobs.gz", file)
    home_file, left_out = _keep_home(repository, name)
    return BackupManifest(
        name=name,
        made_at=moment.made_at,
        demeter=demeter.version(),
        schema_revision=moment.revision,
        postgres=moment.postgres,
        database=moment.dump,
        blobs=blob_file,
        home=home_file,
        blob_count=listed.count,
        blob_bytes=listed.stored_bytes,
        new_blobs=sent.new,
        new_bytes=sent.new_bytes + moment.dump.size + blob_file.size,
        missing=sent.missing[:MISSING_NAMED],
        left_out=left_out,
        ledger=table_sums.ledger_hash(moment.tables),
        tables=moment.tables,
    )


def _keep_home(repository: Repository, name: str) -> tuple[StoredFile | None, list[str]]:
    """The authority that phones trust, and its key: only under encryption."""
    there = [part for part in HOME_FILES if (settings().home / part).exists()]
    if not there or isinstance(repository.seal, Unsealed):
        return None, ["settings (DEMETER_…)", *there]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for part in there:
            archive.add(settings().home / part, part)
    content.seek(0)
    return repository.write(f"{SNAPSHOTS}/{name}/home.tar.gz", content), ["settings (DEMETER_…)"]
