"""A place of backups with its key: which backups are there, and files read without trust."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, TypeVar

from demeter.core.settings import settings
from demeter.ops.backup import seal as seals
from demeter.ops.backup.errors import (
    BackupDamaged,
    BackupKeyWrong,
    BackupNotFound,
    BackupPlaceUnusable,
    BackupTooNew,
)
from demeter.ops.backup.manifest import (
    FORMAT,
    BackupManifest,
    Envelope,
    ManifestBroken,
    PlaceMark,
    StoredFile,
)
from demeter.ops.backup.place import BackupPlace
from demeter.ops.backup.seal import AgeSeal, Seal, SealBroken, Unsealed

MARK = "demeter-backup.json"
KEY = "key.age"
SNAPSHOTS = "snapshots"
Document = TypeVar("Document", bound=Envelope)


class Repository:
    """Backups at one place; every file but the mark and the key is under ``seal``."""

    def __init__(self, place: BackupPlace, seal: Seal) -> None:
        self.place = place
        self.seal = seal

    def write(self, name: str, source: BinaryIO) -> StoredFile:
        """Seal and store a file, whole or not at all."""
        name += self.seal.suffix
        with self.place.create(name) as target:
            counting = HashingWriter(target)
            self.seal.write(source, counting)  # type: ignore[arg-type]
        return StoredFile(name=name, size=counting.size, sha256=counting.digest())

    def read(self, name: str) -> bytes:
        """A small file, opened.

        Raises:
            BackupDamaged: it is not there, or the key does not open it.
        """
        try:
            with self.place.open(name) as file:
                return seals.open_bytes(self.seal, file.read())
        except (FileNotFoundError, SealBroken) as error:
            raise damaged(
                name, "is missing" if isinstance(error, OSError) else str(error)
            ) from error

    def fetch(self, file: StoredFile, target: Path) -> None:
        """Bring a large file here, opened, after each byte of it was proven.

        Raises:
            BackupDamaged: it is missing, cut off or changed.
        """
        sealed = target.with_suffix(".stored")
        try:
            with self.place.open(file.name) as source, sealed.open("wb") as copy:
                counting = HashingWriter(copy)
                Unsealed().write(source, counting)  # type: ignore[arg-type]
        except FileNotFoundError as error:
            raise damaged(file.name, "is missing") from error
        check_stored(file, counting)
        if isinstance(self.seal, Unsealed):
            sealed.rename(target)
            return
        try:
            with sealed.open("rb") as source, target.open("wb") as opened:
                self.seal.read(source, opened)
        except SealBroken as error:
            raise damaged(file.name, str(error)) from error
        sealed.unlink()

    def names(self) -> list[str]:
        """Backups that are finished, oldest first."""
        end = self._manifest_end()
        files = self.place.sizes(SNAPSHOTS)
        return sorted(name.split("/")[1] for name in files if name.endswith(end))

    def unfinished(self) -> list[str]:
        """Files of backups that have no manifest."""
        finished = set(self.names())
        return [n for n in self.place.sizes(SNAPSHOTS) if n.split("/")[1] not in finished]

    def manifest(self, name: str) -> BackupManifest:
        """What a backup says of itself.

        Raises:
            BackupDamaged, BackupTooNew
        """
        return self._document(f"{SNAPSHOTS}/{name}{self._manifest_end()}", BackupManifest)

    def pick(self, name: str | None) -> BackupManifest:
        """The named backup, or the last one.

        Raises:
            BackupNotFound, BackupDamaged, BackupTooNew
        """
        names = self.names()
        if not names:
            raise BackupNotFound(f"{self.place.address} holds no finished backup")
        if name is not None and name not in names:
            raise BackupNotFound(f"{self.place.address} holds no backup {name}", backup=name)
        return self.manifest(name or names[-1])

    def write_manifest(self, manifest: BackupManifest) -> StoredFile:
        """The last act of a backup: from now on it is there."""
        name = f"{SNAPSHOTS}/{manifest.name}/manifest.json"
        return self.write(name, io.BytesIO(manifest.to_bytes()))

    def forget(self, name: str) -> None:
        """Remove a backup: its manifest first, so that no half of it is taken for whole."""
        manifest = f"{SNAPSHOTS}/{name}{self._manifest_end()}"
        self.place.delete(manifest)
        for file in self.place.sizes(f"{SNAPSHOTS}/{name}"):
            self.place.delete(file)

    def _manifest_end(self) -> str:
        return f"/manifest.json{self.seal.suffix}"

    def _document(self, name: str, kind: type[Document]) -> Document:
        return _parse(name, self.read(name), kind)


class HashingWriter(io.RawIOBase):
    """Passes bytes on, and knows how many they were and their SHA-256."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """As every writer says."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Pass them on; all of them."""
        self._hash.update(data)
        self._target.write(data)
        self.size += len(data)
        return len(data)

    def digest(self) -> str:
        """Of all bytes so far, in hexadecimal."""
        return self._hash.hexdigest()


def damaged(name: str, what: str) -> BackupDamaged:
    """The refusal of a file, by its name."""
    return BackupDamaged(f"{name} {what}", file=name)


def check_stored(file: StoredFile, counted: HashingWriter) -> None:
    """Refuse a file whose stored bytes are not those of its manifest."""
    if counted.size != file.size:
        raise damaged(file.name, f"has {counted.size} bytes, not {file.size}")
    if counted.digest() != file.sha256:
        raise damaged(file.name, "has other bytes than were written")


def open_repository(place: BackupPlace, *, create: bool = False) -> Repository:
    """The backups at a place, with the key that the settings name.

    Raises:
        BackupNotFound: nothing was ever kept there, and ``create`` is not said.
        BackupPlaceUnusable: other things are there.
        BackupKeyWrong, BackupDamaged, BackupTooNew
    """
    try:
        with place.open(MARK) as file:
            mark = _parse(MARK, file.read(), PlaceMark)
    except FileNotFoundError as error:
        if not create:
            raise BackupNotFound(f"{place.address} holds no backup of Demeter") from error
        return _create(place)
    return Repository(place, _seal_of(place, mark))


def _create(place: BackupPlace) -> Repository:
    others = [name for name in place.sizes("") if name != KEY]
    if others:
        raise BackupPlaceUnusable(f"{place.address} holds other files, such as {others[0]}")
    configured = settings()
    seal: Seal = Unsealed()
    if configured.backup_key_file is not None:
        seal = seals.read_key_file(configured.backup_key_file)
    elif configured.backup_passphrase is not None:
        seal, kept = seals.lock_with_passphrase(configured.backup_passphrase.get_secret_value())
        with place.create(KEY) as file:
            file.write(kept)
    with place.create(MARK) as file:
        file.write(
            PlaceMark(recipient=seal.recipient if isinstance(seal, AgeSeal) else None).to_bytes()
        )
    return Repository(place, seal)


def _seal_of(place: BackupPlace, mark: PlaceMark) -> Seal:
    configured = settings()
    passphrase = configured.backup_passphrase
    if mark.recipient is None:
        if configured.backup_key_file or passphrase:
            raise BackupKeyWrong(f"{place.address} is not encrypted, and a key is given")
        return Unsealed()
    if configured.backup_key_file is not None:
        seal = seals.read_key_file(configured.backup_key_file)
    elif passphrase is not None:
        seal = seals.unlock_with_passphrase(_kept_key(place), passphrase.get_secret_value())
    else:
        raise BackupKeyWrong(f"{place.address} is encrypted, and no key is given")
    if seal.recipient != mark.recipient:
        raise BackupKeyWrong(f"{place.address} is encrypted for another key: {mark.recipient}")
    return seal


def _kept_key(place: BackupPlace) -> bytes:
    try:
        with place.open(KEY) as file:
            return file.read()
    except FileNotFoundError as error:
        raise BackupKeyWrong(
            f"{place.address} has no {KEY}: it is encrypted with a key file, not a passphrase"
        ) from error


def _parse(name: str, stored: bytes, kind: type[Document]) -> Document:
    try:
        document = kind.from_bytes(stored)
    except ManifestBroken as error:
        raise damaged(name, f"cannot be read: {error}") from error
    if document.format > FORMAT:  # type: ignore[attr-defined]
        raise BackupTooNew(f"{name} is of a later kind than this Demeter knows")
    return document
