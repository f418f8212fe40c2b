"""Accepted photos as YOLO folders: one to learn plants from, one to learn containers from.

Two, because readers of such folders take a file of boxes and outlines for outlines alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import yaml

from demeter.learning.ground_truth import TruePhoto
from demeter.learning.masking import kept_marks
from demeter.learning.splits import Side
from demeter.vision.values import ContainerType

DETECT, SEGMENT = "detect", "segment"
TASKS = (DETECT, SEGMENT)
_SPLITS = {"train": Side.TRAIN, "val": Side.HELD_OUT}
_NAMES = {
    DETECT: ("plant", "empty_container"),
    SEGMENT: tuple(kind.value for kind in ContainerType),
}


def write_yolo(folder: Path, photos: Sequence[tuple[Side, TruePhoto, str]]) -> None:
    """Write ``data.yaml`` and a label file a photo, for each task.

    ``data.yaml`` names the sides that have photos, and as ``path`` the folder as it lies now.
    """
    sides = {side for side, _, _ in photos}
    for task in TASKS:
        for side in sides:
            for kind in ("images", "labels"):
                (folder / task / kind / side).mkdir(parents=True, exist_ok=True)
        text = _yaml(folder / task, task, sides)
        (folder / task / "data.yaml").write_text(text, encoding="utf-8")
        for side, photo, name in photos:
            lines = _box_lines(photo) if task == DETECT else _outline_lines(photo)
            target = folder / task / "labels" / side / f"{name}.txt"
            target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _yaml(folder: Path, task: str, sides: Collection[Side]) -> str:
    names = dict(enumerate(_NAMES[task]))
    pictures = {key: f"images/{side}" for key, side in _SPLITS.items() if side in sides}
    table = {"path": str(folder.resolve()), **pictures, "nc": len(names), "names": names}
    return yaml.safe_dump(table, sort_keys=False, allow_unicode=True)


def _box_lines(photo: TruePhoto) -> Iterator[str]:
    """Class, centre and size as shares of the picture."""
    width, height = photo.size_wh
    for mark in kept_marks(photo):
        x1, y1, x2, y2 = mark.xyxy_px
        shares = (
            (x1 + x2) / 2 / width,
            (y1 + y2) / 2 / height,
            (x2 - x1) / width,
            (y2 - y1) / height,
        )
        yield " ".join([str(int(mark.is_empty_container)), *(f"{v:.6f}" for v in shares)])


def _outline_lines(photo: TruePhoto) -> Iterator[str]:
    """Class and corners as shares of the picture."""
    width, height = photo.size_wh
    for container in photo.containers:
        number = _NAMES[SEGMENT].index(container.container_type.value)
        corners = [f"{x / width:.6f} {y / height:.6f}" for x, y in container.polygon_px]
        yield " ".join([str(number), *corners])
