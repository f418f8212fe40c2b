"""Photos and pictures looked at one by one: hashed again, missing, or named by nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from demeter.core import blobs, db
from demeter.core.private_files import make_directory
from demeter.core.settings import settings
from demeter.ops.backup.blob_list import NAMED, names_by_prefix, write_names
from demeter.ops.doctor.machine import PROBE

READ_AT_ONCE = 4
NAMED_AT_MOST = 200  # findings that are kept with their names; all are counted
Progress = Callable[[str, int, int], None]

SUBJECTS = """
SELECT b.name, coalesce(
    (SELECT 'photo ' || coalesce(original_filename, image_id::text)
     FROM s3_images WHERE sha256 = b.name LIMIT 1),
    (SELECT 'picture of ' || coalesce(original_filename, image_id::text) FROM s3_images
     WHERE s3_key_processed = b.key OR s3_key_thumbnail = b.key LIMIT 1),
    (SELECT 'model ' || name FROM vision_models WHERE blob_sha256 = b.name LIMIT 1),
    'nothing that the database knows')
FROM unnest(%s::text[], %s::text[]) AS b (name, key)
"""


class BlobFault(StrEnum):
    """What is wrong with a blob."""

    MISSING = "missing"
    CHANGED = "changed"
    ORPHAN = "orphan"  # no row names it: nothing is lost, only room
    LEFTOVER = "leftover"  # retention let it go; the next run of it takes the bytes, too


@dataclass
class BlobFindings:
    """What the look found: every fault counted, the first of them by name."""

    checked: int = 0
    counts: Counter[BlobFault] = field(default_factory=Counter)
    named: list[tuple[BlobFault, str]] = field(default_factory=list)
    subjects: dict[str, str] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether every photo that is named is there as it was taken in."""
        return not (self.counts[BlobFault.MISSING] or self.counts[BlobFault.CHANGED])

    def note(self, fault: BlobFault, sha256: str) -> None:
        """One more fault."""
        self.counts[fault] += 1
        if len(self.named) < NAMED_AT_MOST:
            self.named.append((fault, sha256))


def check_blobs(progress: Progress, first_prefix: str = "00") -> BlobFindings:
    """Read every blob of the object store that rows name, from a prefix of hashes on.

    One prefix of 256 is in memory at a time. ``progress`` is told the prefix at which a look
    that was cut off can go on.

    Raises:
        ObjectStoreUnavailable
    """
    findings = BlobFindings()
    make_directory(settings().home)
    with (
        psycopg.connect(db.database_url(), autocommit=True) as connection,
        TemporaryDirectory(dir=settings().home, prefix="verify-") as folder,
        ThreadPoolExecutor(READ_AT_ONCE) as readers,
    ):
        with connection.transaction():
            write_names(connection, Path(folder) / "names")
        for prefix, names in _every_prefix(Path(folder) / "names"):
            if prefix >= first_prefix:
                progress(prefix, int(prefix, 16), 256)
                _check_prefix(connection, prefix, names, findings, readers)
        _name_subjects(connection, findings)
    return findings


def _every_prefix(path: Path) -> Iterator[tuple[str, list[str]]]:
    """All 256, also those of which no row names a blob: orphans may be there."""
    groups = names_by_prefix(path)
    following = next(groups, None)
    for number in range(256):
        prefix = f"{number:02x}"
        if following is not None and following[0] == prefix:
            yield following
            following = next(groups, None)
        else:
            yield prefix, []


def _check_prefix(
    connection: psycopg.Connection,
    prefix: str,
    names: list[str],
    findings: BlobFindings,
    readers: ThreadPoolExecutor,
) -> None:
    there = blobs.store().sizes(prefix)
    unnamed = _unnamed(connection, sorted(there.keys() - set(names)))
    leftover = _leftover(connection, unnamed)
    for sha256 in unnamed:
        findings.note(BlobFault.LEFTOVER if sha256 in leftover else BlobFault.ORPHAN, sha256)
    for sha256, fault in zip(names, readers.map(_fault_of, names), strict=True):
        findings.checked += 1
        if fault is not None:
            findings.note(fault, sha256)


def _fault_of(sha256: str) -> BlobFault | None:
    try:
        blobs.read_checked(sha256)
    except blobs.BlobMissing:
        return BlobFault.MISSING
    except blobs.BlobCorrupt:
        return BlobFault.CHANGED
    return None


def _unnamed(connection: psycopg.Connection, candidates: list[str]) -> list[str]:
    """Those that no row names now: a photo may have come since the names were read."""
    candidates = [sha256 for sha256 in candidates if sha256 != blobs.sha256_of(PROBE)]
    if not candidates:
        return []
    query = f"""
    SELECT c FROM unnest(%s::text[]) AS c
    WHERE c NOT IN (SELECT name FROM ({NAMED}) AS n)
      AND NOT EXISTS (SELECT FROM blob_inbox b WHERE b.sha256 = c) ORDER BY c
    """  # noqa: S608  our own query
    return [row[0] for row in connection.execute(query, [candidates])]  # type: ignore[arg-type]


def _leftover(connection: psycopg.Connection, unnamed: list[str]) -> set[str]:
    """Those that were let go, and whose bytes a run that was cut off left behind."""
    query = """
    SELECT sha256 FROM dropped_blobs
    WHERE sha256 = ANY(%s) AND removed_at IS NULL AND returned_at IS NULL
    """
    return {row[0] for row in connection.execute(query, [unnamed])}


def _name_subjects(connection: psycopg.Connection, findings: BlobFindings) -> None:
    names = [
        sha256
        for fault, sha256 in findings.named
        if fault in (BlobFault.MISSING, BlobFault.CHANGED)
    ]
    if names:
        keys = [blobs.key_of(sha256) for sha256 in names]
        findings.subjects = dict(connection.execute(SUBJECTS, [names, keys]).fetchall())
