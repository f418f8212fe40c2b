"""DEMETER_HOME: where everything local lives, and the notes of what is already done there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from console import SetupError

CHECKOUT = Path(__file__).resolve().parents[2]


def prepare() -> Path:
    """The directory, made if need be; the same default as `demeter.core.settings`."""
    where = Path(os.environ.get("DEMETER_HOME") or _default()).expanduser().absolute()
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        (where / "setup").mkdir(exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{where} cannot be written ({error.strerror}): set DEMETER_HOME to a directory of "
            "your own."
        ) from error
    os.environ["DEMETER_HOME"] = str(where)
    return where


def _default() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/demeter")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "demeter"


def log(where: Path) -> Path:
    """Where all that set-up's commands say is kept."""
    return where / "setup" / "setup.log"


def is_done(where: Path, what: str, fingerprint: str) -> bool:
    """Whether a step was last done from the same inputs."""
    note = where / "setup" / f"{what}.done"
    return note.exists() and note.read_text() == fingerprint


def note_done(where: Path, what: str, fingerprint: str) -> None:
    """Remember the inputs that a step was done from."""
    (where / "setup" / f"{what}.done").write_text(fingerprint)


def forget(where: Path, what: str) -> None:
    """A step is about to be done again."""
    (where / "setup" / f"{what}.done").unlink(missing_ok=True)


def fingerprint(files: Iterable[Path], *facts: object) -> str:
    """SHA-256 over names and contents of files and over other facts."""
    digest = hashlib.sha256(repr(facts).encode())
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(CHECKOUT)} {content}\n".encode())
    return digest.hexdigest()
