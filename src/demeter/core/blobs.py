"""Photo bytes by SHA-256: local cache, PostgreSQL inbox, object store.

Bytes enter through the inbox, in the transaction that accepts the upload; an ``io`` job
moves them to the object store and only then removes them from the inbox. So what was
accepted is always in at least one durable place.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

from psycopg.errors import UniqueViolation
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core import blob_drops, logs
from demeter.core.crash_points import step
from demeter.core.db import Base, CreatedRow, transaction
from demeter.core.errors import DomainError
from demeter.core.object_store import (
    BlobMissing,
    ObjectStoreUnavailable,
    Store,
    bucket,
    key_of,
    store,
)
from demeter.core.settings import settings

__all__ = [  # who keeps bytes asks here, and need not know where they lie
    "BlobCorrupt",
    "BlobInbox",
    "BlobMissing",
    "ObjectStoreUnavailable",
    "Store",
    "accept",
    "bucket",
    "copy_bytes",
    "key_of",
    "let_go",
    "move_to_store",
    "read",
    "read_checked",
    "sha256_of",
    "store",
]
log = logs.get(__name__)


class BlobInbox(CreatedRow, Base):
    """Accepted bytes that are not yet in the object store."""

    __tablename__ = "blob_inbox"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    content_type: Mapped[str]
    body: Mapped[bytes] = mapped_column(deferred=True)


class BlobCorrupt(DomainError):
    """The bytes found are not those that were accepted."""

    status = 500
    code = "blob_corrupt"
    title = "The photo's bytes have changed in storage"
    next_action = "Restore the object from a backup, then reprocess the session."


def sha256_of(body: bytes) -> str:
    """The key of these bytes, 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def accept(session: Session, body: bytes, content_type: str) -> str:
    """Put bytes into the inbox, in the caller's transaction; returns their SHA-256.

    What was let go before is kept again. They go in by COPY: a server that logs slow statements
    logs their parameters, too, and a photo as hexadecimal digits belongs in no log.
    """
    sha256 = sha256_of(body)
    blob_drops.share(session, sha256)
    blob_drops.note_return(session, sha256)
    is_there = select(BlobInbox.sha256).where(BlobInbox.sha256 == sha256)
    if session.scalar(is_there) is None:
        with suppress(UniqueViolation), session.begin_nested():  # another upload was faster
            _copy_in(session, sha256, content_type, body)
    return sha256


def _copy_in(session: Session, sha256: str, content_type: str, body: bytes) -> None:
    statement = "COPY blob_inbox (sha256, content_type, body) FROM STDIN (FORMAT BINARY)"
    copy_bytes(session, statement, ("text", "text", "bytea"), (sha256, content_type, body))


def copy_bytes(
    session: Session, statement: LiteralString, types: Sequence[str], row: Sequence[object]
) -> None:
    """Write one row by COPY, so that no log of statements holds the bytes in it."""
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        copy.write_row(row)


def read(bound_to: Engine, sha256: str) -> bytes:
    """The bytes, from the nearest place that has them; checked, then cached.

    Raises:
        PhotoDropped: they are no longer kept, and that is why no place has them.
        BlobMissing: no place has them.
        BlobCorrupt: what the object store holds has another hash.
        ObjectStoreUnavailable: only the store could have them, and it does not answer.
    """
    cached = _read_cache(sha256)
    if cached is not None:
        return cached
    body = _read_inbox(bound_to, sha256)
    body = _read_stored(bound_to, sha256) if body is None else _check(sha256, body)
    _write_cache(sha256, body)
    return body


def _read_stored(bound_to: Engine, sha256: str) -> bytes:
    try:
        return read_checked(sha256)
    except BlobMissing:
        with transaction(bound_to) as session:
            blob_drops.require_kept(session, [sha256])
        raise


def read_checked(sha256: str) -> bytes:
    """The bytes from the object store itself, past the cache.

    Raises:
        BlobMissing, BlobCorrupt, ObjectStoreUnavailable
    """
    return _check(sha256, store().get(sha256))


def _check(sha256: str, body: bytes) -> bytes:
    if sha256_of(body) != sha256:
        raise BlobCorrupt(f"object {key_of(sha256)} has another hash", sha256=sha256)
    return body


def move_to_store(bound_to: Engine, sha256: str) -> None:
    """Copy from the inbox to the object store, then take it off the inbox; repeatable.

    Nobody lets go of these bytes meanwhile. What came again after it was let go stays in the
    inbox, too, for an hour (`blob_drops.KEPT_TWICE`).

    Raises:
        ObjectStoreUnavailable: the store does not answer; the inbox keeps the bytes.
    """
    with transaction(bound_to) as session:
        blob_drops.share(session, sha256)
        body = _inbox_body(session, sha256)
        if body is None:
            return
        store().put(sha256, body)
        step("store.object_put")
        session.execute(text(_TAKE_OFF), {"sha256": sha256})
        step("store.before_commit")
    step("store.after_commit")
    log.info("blob_stored", sha256=sha256, bytes=len(body))


_TAKE_OFF = f"""
DELETE FROM blob_inbox b WHERE b.sha256 = :sha256 AND NOT EXISTS (
    SELECT FROM dropped_blobs d
    WHERE d.sha256 = b.sha256 AND d.returned_at > now() - {blob_drops.KEPT_TWICE})
"""  # noqa: S608  our own words


def let_go(sha256: str) -> int | None:
    """Remove the object, and this machine's copy of it; its bytes, ``None`` where none was.

    The caller holds the hash alone, and has said that it is dropped.

    Raises:
        ObjectStoreUnavailable
    """
    size = store().size(sha256)
    if size is not None:
        store().remove(sha256)
    with suppress(OSError):
        _cache_path(sha256).unlink(missing_ok=True)
    return size


def _read_inbox(bound_to: Engine, sha256: str) -> bytes | None:
    with transaction(bound_to) as session:
        return _inbox_body(session, sha256)


def _inbox_body(session: Session, sha256: str) -> bytes | None:
    return session.scalar(select(BlobInbox.body).where(BlobInbox.sha256 == sha256))


def _cache_path(sha256: str) -> Path:
    return settings().home / "cache" / sha256[:2] / sha256


def _read_cache(sha256: str) -> bytes | None:
    """The bytes from the cache; whatever is wrong with it, they come from elsewhere then."""
    path = _cache_path(sha256)
    try:
        body = path.read_bytes()
        if sha256_of(body) != sha256:
            log.warning("cache_entry_corrupt", sha256=sha256)
            path.unlink(missing_ok=True)
            return None
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("cache_not_read", sha256=sha256, error=str(error))
        return None
    with suppress(OSError):
        os.utime(path)  # used now: the last to be cleared
    return body


def _write_cache(sha256: str, body: bytes) -> None:
    path = _cache_path(sha256)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(path, body)
        _trim_cache()
    except OSError as error:
        # The cache only saves time; a worker whose disk is full still counts.
        log.warning("cache_not_written", sha256=sha256, error=str(error))


def _write_whole(path: Path, body: bytes) -> None:
    """Beside its place first, so that nobody reads half of it; nothing is left of a failure."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        try:
            partial.write(body)
            partial.flush()
            Path(partial.name).replace(path)
        except OSError:
            Path(partial.name).unlink(missing_ok=True)
            raise


def _trim_cache() -> None:
    entries = [
        (status.st_mtime, status.st_size, entry)
        for entry in (settings().home / "cache").glob("??/*")
        if (status := _status(entry)) is not None
    ]
    total = sum(size for _, size, _ in entries)
    for _, size, entry in sorted(entries):
        if total <= settings().cache_max_bytes:
            return
        entry.unlink(missing_ok=True)
        total -= size


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # another worker cleared it meanwhile
        return None
