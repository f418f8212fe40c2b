"""Which photos and pictures the database names: sorted files of names and sizes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from psycopg import Connection

# What rows name and is kept, and the inbox does not hold: those bytes are in the dump itself.
NAMED_ALL = """
SELECT name FROM (
    SELECT sha256::text AS name FROM s3_images
    UNION SELECT right(s3_key_processed, 64) FROM s3_images WHERE s3_key_processed IS NOT NULL
    UNION SELECT right(s3_key_thumbnail, 64) FROM s3_images WHERE s3_key_thumbnail IS NOT NULL
    UNION SELECT blob_sha256::text FROM vision_models
) AS named
WHERE NOT EXISTS (SELECT FROM blob_inbox b WHERE b.sha256 = named.name)
"""
IS_KEPT = """
  AND NOT EXISTS (
    SELECT FROM dropped_blobs d WHERE d.sha256 = named.name AND d.returned_at IS NULL)
"""
IN_ORDER = 'ORDER BY name COLLATE "C"'
NAMED = f"{NAMED_ALL}{IS_KEPT}{IN_ORDER}"


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob by its hash, with its bytes as they are and as the backup keeps them."""

    sha256: str
    size: int
    stored_size: int


def write_names(connection: Connection, path: Path) -> int:
    """The names of the connection's moment, sorted, one a line; how many."""
    count = 0
    with connection.cursor(name="blob_names") as cursor, path.open("w") as file:
        cursor.itersize = 10_000
        for (name,) in cursor.execute(_query(connection)):  # type: ignore[arg-type]
            file.write(f"{name}\n")
            count += 1
    return count


def _query(connection: Connection) -> str:
    """Also of a schema from before anything could be let go: a backup comes before an upgrade."""
    row = connection.execute("SELECT to_regclass('dropped_blobs') IS NOT NULL").fetchone()
    return NAMED if row is not None and row[0] else f"{NAMED_ALL}{IN_ORDER}"


def names_by_prefix(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The names of a file in groups of their first two digits: 256 at most."""
    with path.open() as file:
        for prefix, lines in groupby(file, key=lambda line: line[:2]):
            yield prefix, [line.rstrip("\n") for line in lines]


class BlobListWriter:
    """Writes the list of a backup, sorted as its entries come."""

    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path, "wt", compresslevel=6)  # noqa: SIM115  `close` does
        self.count = 0
        self.stored_bytes = 0

    def add(self, blob: StoredBlob) -> None:
        """The next entry."""
        self._file.write(f"{blob.sha256} {blob.size} {blob.stored_size}\n")
        self.count += 1
        self.stored_bytes += blob.stored_size

    def close(self) -> None:
        """The list is whole."""
        self._file.close()


def blobs_by_prefix(path: Path) -> Iterator[tuple[str, dict[str, StoredBlob]]]:
    """The entries of a backup's list in groups of their first two digits."""
    with gzip.open(path, "rt") as file:
        for prefix, lines in groupby(file, key=lambda line: line[:2]):
            parts = (line.split() for line in lines)
            yield prefix, {p[0]: StoredBlob(p[0], int(p[1]), int(p[2])) for p in parts}


class FormerBlobs:
    """The list of the backup before, read along with the names of this one."""

    def __init__(self, path: Path | None) -> None:
        self._groups = blobs_by_prefix(path) if path is not None else iter(())
        self._next = next(self._groups, None)

    def of(self, prefix: str) -> dict[str, StoredBlob]:
        """Entries of a prefix; prefixes are asked for in their order."""
        while self._next is not None and self._next[0] < prefix:
            self._next = next(self._groups, None)
        return self._next[1] if self._next is not None and self._next[0] == prefix else {}
