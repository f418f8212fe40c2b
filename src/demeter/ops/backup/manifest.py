"""What a backup says of itself: its files with their hashes, its tables with their sums."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ValidationError

FORMAT = 1


class ManifestBroken(Exception):
    """Bytes of a manifest that are not those that were written."""


class Envelope(BaseModel):
    """A document that begins with the SHA-256 of the rest of it."""

    def to_bytes(self) -> bytes:
        """The hash, a line's end, and JSON."""
        body = self.model_dump_json(indent=1).encode()
        return hashlib.sha256(body).hexdigest().encode() + b"\n" + body

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """The inverse of `to_bytes`.

        Raises:
            ManifestBroken: a byte of it was changed, or some are gone.
        """
        digest, _, body = stored.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            raise ManifestBroken("its bytes are not those that were written")
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise ManifestBroken(str(error)) from error


class PlaceMark(Envelope):
    """What stands at the top of a place of backups: the format, and for which key."""

    format: int = FORMAT
    recipient: str | None = None  # the public half of the key; none: not encrypted


class StoredFile(BaseModel):
    """A file of the backup, with size and SHA-256 as it is stored."""

    name: str
    size: int
    sha256: str


class TableSum(BaseModel):
    """A table: its rows, and a sum over the hashes of them that knows no order."""

    rows: int
    digest: str


class BackupManifest(Envelope):
    """One finished backup; it is written last, so that what it names is there."""

    format: int = FORMAT
    name: str
    made_at: datetime
    demeter: str
    schema_revision: str
    postgres: int
    database: StoredFile
    blobs: StoredFile
    home: StoredFile | None
    blob_count: int
    blob_bytes: int  # of the photos and pictures, as they are stored at the place
    new_blobs: int  # that this backup had to send
    new_bytes: int  # of all that this backup wrote
    missing: list[str]  # that the database names and the object store did not give
    left_out: list[str]
    ledger: str
    tables: dict[str, TableSum]

    @property
    def age_s(self) -> float:
        """Seconds since its moment."""
        return (datetime.now(UTC) - self.made_at).total_seconds()
