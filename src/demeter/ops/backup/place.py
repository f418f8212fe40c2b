"""Where backups are kept: a folder or a bucket. A file is there whole, or it is not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from demeter.core.private_files import make_directory
from demeter.core.settings import settings
from demeter.ops.backup.errors import BackupPlaceUnusable

PARTIAL = ".partial-"
BUFFER_BYTES = 1 << 20


class BackupPlace(Protocol):
    """Files by names such as ``photos/ab/…``; what goes wrong is a `BackupPlaceUnusable`."""

    address: str

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """Write a file; it is there, whole and durable, only when the block ends well."""
        ...

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Read a file.

        Raises:
            FileNotFoundError: it is not there.
        """
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Every whole file at or below a folder, with its bytes."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def clear_partial(self) -> None:
        """Remove what killed backups left half written."""
        ...


class Folder:
    """A directory of this machine, or one that is mounted here."""

    def __init__(self, path: Path) -> None:
        self._root = path.expanduser().absolute()
        self.address = str(self._root)

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """See `BackupPlace.create`."""
        path = self._root / name
        with _named_failures(self.address):
            make_directory(path.parent)
            partial = tempfile.NamedTemporaryFile(  # noqa: SIM115  it outlives this block
                dir=path.parent, prefix=PARTIAL, delete=False
            )
        try:
            with partial:
                yield cast("BinaryIO", partial)
                with _named_failures(self.address):
                    partial.flush()
                    os.fsync(partial.fileno())
            with _named_failures(self.address):
                Path(partial.name).replace(path)
                _flush_directory(path.parent)
        except OSError as error:
            Path(partial.name).unlink(missing_ok=True)
            raise BackupPlaceUnusable(f"{name} in {self.address}: {error}") from error
        except BaseException:
            Path(partial.name).unlink(missing_ok=True)
            raise

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """See `BackupPlace.open`."""
        try:
            file = (self._root / name).open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BackupPlaceUnusable(f"{name} in {self.address}: {error}") from error
        with file:
            yield file

    def sizes(self, folder: str) -> dict[str, int]:
        """See `BackupPlace.sizes`."""
        with _named_failures(self.address):
            return {
                str(path.relative_to(self._root)): path.stat().st_size
                for path in (self._root / folder).rglob("*")
                if path.is_file() and not path.name.startswith(PARTIAL)
            }

    def delete(self, name: str) -> None:
        """See `BackupPlace.delete`."""
        path = self._root / name
        with _named_failures(self.address):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # the folder holds more
                path.parent.rmdir()

    def clear_partial(self) -> None:
        """See `BackupPlace.clear_partial`."""
        with _named_failures(self.address):
            for path in self._root.rglob(f"{PARTIAL}*"):
                path.unlink(missing_ok=True)


class Bucket:
    """A bucket, or a prefix in one, of S3 or another object store."""

    def __init__(self, url: str, retries: int = 4) -> None:
        self.address = url.rstrip("/")
        try:
            self._store: ObjectStore = from_url(
                self.address,
                config=settings().backup_store_options or None,  # type: ignore[arg-type]
                client_options={"allow_http": True, "timeout": "120s", "connect_timeout": "5s"},
                retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=60)},
            )
        except (BaseError, ValueError) as error:
            raise BackupPlaceUnusable(f"{self.address}: {error}") from error

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """See `BackupPlace.create`."""
        with _named_failures(self.address):
            writer = obstore.open_writer(self._store, name)
        try:
            yield cast("BinaryIO", writer)
        except BaseError as error:  # an upload that is not closed never becomes an object
            raise BackupPlaceUnusable(f"{name} in {self.address}: {error}") from error
        with _named_failures(self.address):
            writer.close()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """See `BackupPlace.open`."""
        try:
            reader = obstore.open_reader(self._store, name, buffer_size=BUFFER_BYTES)
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise BackupPlaceUnusable(f"{name} in {self.address}: {error}") from error
        try:
            yield cast("BinaryIO", _ObjectReader(reader))
        except BaseError as error:
            raise BackupPlaceUnusable(f"{name} in {self.address}: {error}") from error

    def sizes(self, folder: str) -> dict[str, int]:
        """See `BackupPlace.sizes`."""
        with _named_failures(self.address):
            return {
                meta["path"]: meta["size"]
                for page in obstore.list(self._store, prefix=folder)
                for meta in page
            }

    def delete(self, name: str) -> None:
        """See `BackupPlace.delete`."""
        with _named_failures(self.address), suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def clear_partial(self) -> None:
        """Uploads of several parts that nobody finished are the bucket's own rule to end."""


class _ObjectReader:
    """An object as a file: ``bytes``, where obstore gives its own kind of buffer."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def read(self, size: int = -1, /) -> bytes:
        return bytes(self._reader.read(None if size < 0 else size))


def place_of(address: str) -> BackupPlace:
    """The folder, or with ``://`` the bucket, of an address."""
    return Bucket(address) if "://" in address else Folder(Path(address))


@contextmanager
def _named_failures(address: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise BackupPlaceUnusable(f"{address}: {error}") from error


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
