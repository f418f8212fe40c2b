"""Encryption of a backup: age's format, so that `age` itself opens it where Demeter is gone."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pyrage
from pyrage import x25519

from demeter.ops.backup.errors import BackupKeyWrong


class SealBroken(Exception):
    """Bytes that this key does not open: they were changed, cut off, or sealed for another."""


class Seal(Protocol):
    """How files of a backup are written and read; ``suffix`` ends their names."""

    suffix: str

    def write(self, source: BinaryIO, target: BinaryIO) -> None:
        """Copy what is plain into what is stored, in bounded memory."""
        ...

    def read(self, source: BinaryIO, target: BinaryIO) -> None:
        """Copy what is stored into what is plain.

        Raises:
            SealBroken: it was changed, cut off, or sealed for another key.
        """
        ...


class Unsealed:
    """No encryption: files as they are."""

    suffix = ""

    def write(self, source: BinaryIO, target: BinaryIO) -> None:
        """A copy."""
        shutil.copyfileobj(source, target, 1 << 20)

    read = write


class AgeSeal:
    """Files for one key of age; every 64 KiB of them carry a proof of their own."""

    suffix = ".age"

    def __init__(self, identity: x25519.Identity) -> None:
        self._identity = identity
        self.recipient = str(identity.to_public())

    def write(self, source: BinaryIO, target: BinaryIO) -> None:
        """See `Seal.write`."""
        pyrage.encrypt_io(cast("Any", source), cast("Any", target), [self._identity.to_public()])

    def read(self, source: BinaryIO, target: BinaryIO) -> None:
        """See `Seal.read`."""
        try:
            pyrage.decrypt_io(cast("Any", source), cast("Any", target), [self._identity])
        except pyrage.DecryptError as error:
            raise SealBroken(str(error)) from error
        except OSError as error:
            if error.errno is not None:  # the disk's, not the seal's
                raise
            raise SealBroken(str(error)) from error


def read_key_file(path: Path) -> AgeSeal:
    """The key that `age-keygen` or `demeter backup --make-key` wrote.

    Raises:
        BackupKeyWrong: there is none in it.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupKeyWrong(f"{path}: {error}") from error
    keys = [line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")]
    if len(keys) != 1:
        raise BackupKeyWrong(f"{path} holds {len(keys)} keys of age, not one")
    try:
        return AgeSeal(x25519.Identity.from_str(keys[0]))
    except pyrage.IdentityError as error:
        raise BackupKeyWrong(f"{path}: {error}") from error


def make_key_file(path: Path) -> str:
    """Write a new key, for its owner alone; returns its public half.

    Raises:
        FileExistsError: there is a file already.
    """
    identity = x25519.Identity.generate()
    with path.open("x") as file:
        path.chmod(0o600)
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def lock_with_passphrase(passphrase: str) -> tuple[AgeSeal, bytes]:
    """A new key, and the same under a passphrase, as it is kept beside the backups."""
    identity = x25519.Identity.generate()
    return AgeSeal(identity), pyrage.passphrase.encrypt(str(identity).encode(), passphrase)


def unlock_with_passphrase(kept: bytes, passphrase: str) -> AgeSeal:
    """The key under a passphrase.

    Raises:
        BackupKeyWrong: the passphrase is another, or the key's file is damaged.
    """
    try:
        key = pyrage.passphrase.decrypt(kept, passphrase)
        return AgeSeal(x25519.Identity.from_str(key.decode()))
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError) as error:
        raise BackupKeyWrong(
            "the passphrase is another than that of this place, or key.age is damaged"
        ) from error


def seal_bytes(seal: Seal, plain: bytes) -> bytes:
    """As it is stored."""
    target = io.BytesIO()
    seal.write(io.BytesIO(plain), target)
    return target.getvalue()


def open_bytes(seal: Seal, stored: bytes) -> bytes:
    """As it was; raises `SealBroken`."""
    target = io.BytesIO()
    seal.read(io.BytesIO(stored), target)
    return target.getvalue()
