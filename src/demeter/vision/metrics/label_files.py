"""Opening the files of labels: JSON and text, as other programs write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from demeter.vision.errors import LabelsRefused


def read_json(path: Path) -> Any:
    """A JSON document in UTF-8, 16 or 32, with its byte-order mark or without.

    Raises:
        LabelsRefused: it is not there, is none, or says a key twice.
    """
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=_unique)
    except (OSError, ValueError, RecursionError) as error:
        raise LabelsRefused(f"{path.name}: not JSON ({error})") from error


def read_text(path: Path) -> str:
    """A text in UTF-8, with its byte-order mark or without.

    Raises:
        LabelsRefused: it is not there or is none.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsRefused(f"{path.name}: not text in UTF-8 ({error})") from error


def picture_path(folder: Path, name: str) -> Path | None:
    """The picture that a document in a folder names, with slashes of either kind.

    It lies where it is said to, under ``images``, or by its name alone in one of the two.
    """
    with_slashes = name.replace("\\", "/")
    candidates = [name, with_slashes, Path(with_slashes).name]
    paths = [base / c for c in candidates for base in (folder, folder / "images")]
    return next((path for path in paths if path.is_file()), None)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands there twice")
    return table
