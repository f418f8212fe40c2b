"""Accepted photos as a training set: COCO or YOLO, split so that nothing leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from demeter.core import blobs
from demeter.core.errors import InvalidInput
from demeter.learning import coco_export, masking, yolo_export
from demeter.learning.errors import TooLittleTruth
from demeter.learning.ground_truth import TruePhoto, accepted_photos
from demeter.learning.splits import LeftOut, Side, SplitRule, split

DOCUMENT = "dataset.json"


class Format(StrEnum):
    """How the marks are written."""

    COCO = "coco"
    YOLO = "yolo"


def export(
    bound_to: Engine,
    folder: Path,
    form: Format,
    rule: SplitRule,
    on_progress: Callable[[int, int], None] | None = None,
    only: Side | None = None,
) -> dict[str, Any]:
    """Write every accepted photo with its marks; returns the body of ``dataset.json``.

    ``only`` writes one side alone.

    COCO: ``train`` and ``held_out`` with a ``coco.json`` and ``images`` each, as `demeter
    train` and `demeter evaluate` read them. YOLO: ``detect`` and ``segment`` with a
    ``data.yaml`` each. In what is learnt from, places whose plants nobody marked are painted
    grey; in what is judged on (COCO) they are crowds, which count neither way.

    Raises:
        InvalidInput: the folder is not empty.
        TooLittleTruth: no session was accepted or corrected yet.
        BlobMissing, ObjectStoreUnavailable: a photo's bytes cannot be had.
    """
    _require_empty(folder)
    with Session(bound_to) as session:
        photos = list(accepted_photos(session))
    sides, left_out = split(photos, rule)
    export_sides = [only] if only else list(Side)
    side_photos = [(side, photo) for side in export_sides for photo in sides[side]]
    if not side_photos:
        place = f"on the side {only} " if only else ""
        raise TooLittleTruth(f"no session {place}was accepted or corrected by a person yet")
    names = _names(side_photos)
    for done, (side, photo) in enumerate(side_photos, start=1):
        _write_picture(bound_to, folder, form, side, photo, names[photo.image_id, side])
        if on_progress:
            on_progress(done, len(side_photos))
    if form is Format.COCO:
        for side in export_sides:
            rows = [(p, names[p.image_id, side]) for p in sides[side]]
            coco_export.write_coco(folder / side, rows, crowds=side is Side.HELD_OUT)
    else:
        yolo_export.write_yolo(folder, [(s, p, names[p.image_id, s]) for s, p in side_photos])
    return _write_document(folder, form, rule, side_photos, left_out, names)


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{folder} is not an empty folder", folder=str(folder))


def _names(side_photos: list[tuple[Side, TruePhoto]]) -> dict[tuple[Any, Side], str]:
    """A file name for each photo, from its place and time; other photos do not change it."""
    return {
        (p.image_id, side): f"{p.location_code}-{p.captured_at:%Y%m%d-%H%M%S}-{p.image_id.hex[:8]}"
        for side, p in side_photos
    }


def _write_picture(
    bound_to: Engine, folder: Path, form: Format, side: Side, photo: TruePhoto, name: str
) -> None:
    body = blobs.read(bound_to, photo.sha256)
    grey = form is Format.YOLO or side is Side.TRAIN
    jpeg = masking.training_jpeg(body, photo, name, grey=grey)
    if form is Format.COCO:
        target = folder / side / "images" / f"{name}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(jpeg)
        return
    for task in yolo_export.TASKS:
        target = folder / task / "images" / side / f"{name}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(jpeg)


def _write_document(
    folder: Path,
    form: Format,
    rule: SplitRule,
    side_photos: list[tuple[Side, TruePhoto]],
    left_out: list[LeftOut],
    names: dict[tuple[Any, Side], str],
) -> dict[str, Any]:
    document = {
        "format": form.value,
        "made_at": datetime.now(UTC).isoformat(),
        "held_out_share": rule.held_out_share,
        "judged_from": rule.judged_from.isoformat() if rule.judged_from else None,
        "photos": [_provenance(p, side, names[p.image_id, side]) for side, p in side_photos],
        "left_out": [
            {"session_id": str(entry.photo.session_id), "reason": entry.reason}
            for entry in left_out
        ],
    }
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return document


def _provenance(photo: TruePhoto, side: Side, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "side": side.value,
        "session_id": str(photo.session_id),
        "image_id": str(photo.image_id),
        "sha256": photo.sha256,
        "location_code": photo.location_code,
        "captured_at": photo.captured_at.isoformat(),
        "accepted_by": photo.accepted_by,
        "accepted_at": photo.accepted_at.isoformat() if photo.accepted_at else None,
        "models": photo.models,
        "marks": len(photo.marks),
        "marks_by_person": sum(m.source == "person" for m in photo.marks),
        "containers": [
            {
                "index": c.index,
                "plants": c.plants,
                "source": c.source.value,
                "marked_whole": not c.unmarked_px,
            }
            for c in photo.containers
        ],
    }
