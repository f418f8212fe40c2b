"""Recognising YOLO11 and YOLOv8 exports (ONNX, OpenVINO) by their tensors.

Detection gives one output [1, 4 + classes, anchors] of centre, size and class scores in
input pixels; segmentation has mask coefficients after the scores and a second output of
prototypes [1, masks, h, w]. Exports that suppress duplicates themselves give [1, n, 6 (+
masks)] of corners, confidence and class. The input is one square RGB picture, 0 to 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.class_names import inline_names
from demeter.vision.networks.onnx_metadata import onnx_metadata
from demeter.vision.networks.openvino_runner import ModelFile
from demeter.vision.networks.yaml_table import (
    YamlUnreadable,
    one_or_more_texts,
    plain_text,
    texts_by_index,
    yaml_table,
)

_DEFAULT_SIDE_PX = 640
_TASKS = {"detect", "segment"}
_END_TO_END_FIELDS, _END_TO_END_KEYS = 6, ("nms", "end2end", "args")
_STRIDES, _V5_BOXES = (8, 16, 32), 3  # of anchors; YOLOv5 gives so many boxes at each


@dataclass(frozen=True, slots=True)
class YoloLayout:
    """What an export is: its task, class names, input side and how its rows are laid out.

    ``masks`` is the number of mask coefficients, 0 for detection. ``end_to_end``: rows are
    corners, confidence and class, duplicates already suppressed.
    """

    task: str
    names: tuple[str, ...]
    side_px: int
    masks: int
    end_to_end: bool
    file: str = "the network"
    says_end_to_end: bool = False


def yolo_layout(file: ModelFile) -> YoloLayout:
    """Recognise an export.

    Raises:
        ModelRefused: names what did not fit.
    """
    name = file.path.name
    notes = _notes(file)
    task = notes.task or ("segment" if len(file.outputs) > 1 else "detect")
    if task not in _TASKS:
        raise ModelRefused(name, f"its task is {task}; detect and segment can be used")
    names = notes.names
    rows, masks = _outputs(file, task)
    fields, length = rows[1], rows[2]
    side = _side(file, notes.imgsz)
    _require_fields_first(name, rows, side, len(names), masks)
    end_to_end = length == _END_TO_END_FIELDS + masks and (fields > length or fields == -1)
    if not end_to_end:
        names = _checked_names(name, names, fields - 4 - masks)
    elif not names:
        raise ModelRefused(name, "it does not say what its classes are called")
    return YoloLayout(task, names, side, masks, end_to_end, name, notes.says_end_to_end)


def yolo_names(file: ModelFile) -> tuple[str, ...]:
    """The class names that an export says, none where it says none.

    Raises:
        ModelRefused: they cannot be read.
    """
    return _notes(file).names


@dataclass(frozen=True, slots=True)
class _Notes:
    """What an exporter wrote down; empty where it did not."""

    task: str = ""
    names: tuple[str, ...] = ()
    imgsz: str = ""
    says_end_to_end: bool = False


def _notes(file: ModelFile) -> _Notes:
    """What the exporter wrote: into the ONNX file, or into ``metadata.yaml`` beside the pair."""
    beside = file.path.with_name("metadata.yaml")
    if file.path.suffix == ".onnx":
        return _notes_inside(file, onnx_metadata(file.path))
    return _notes_beside(beside) if beside.is_file() else _notes_inside(file, file.metadata)


def _notes_inside(file: ModelFile, metadata: dict[str, str]) -> _Notes:
    try:
        names = inline_names(metadata.get("names", ""))
    except YamlUnreadable as error:
        raise ModelRefused(file.path.name, f"its class names cannot be read: {error}") from error
    says = _says_end_to_end(" ".join(f"{k}: {metadata.get(k, '')}" for k in _END_TO_END_KEYS))
    return _Notes(metadata.get("task", ""), tuple(names), metadata.get("imgsz", ""), says)


def _notes_beside(path: Path) -> _Notes:
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = yaml_table(text)
        names = texts_by_index(table["names"]) if "names" in table else []
        sides = one_or_more_texts(table["imgsz"]) if "imgsz" in table else []
        task = plain_text(table["task"]) if "task" in table else ""
    except UnicodeDecodeError as error:
        raise ModelRefused(path.name, f"not text in UTF-8 ({error})") from error
    except YamlUnreadable as error:
        raise ModelRefused(path.name, str(error)) from error
    return _Notes(task, tuple(names), ",".join(sides), _says_end_to_end(text))


def _says_end_to_end(words: str) -> bool:
    """Whether an exporter wrote `nms: true` or `end2end: true`, also among its arguments."""
    return re.search(r"\b(nms|end2end)['\"]?\s*:\s*true\b", words, re.IGNORECASE) is not None


def _outputs(file: ModelFile, task: str) -> tuple[tuple[int, ...], int]:
    """Shape of the output of rows, and the number of mask coefficients."""
    name, outputs = file.path.name, file.outputs
    rows = [o for o in outputs if len(o) == 3]  # noqa: PLR2004
    prototypes = [o for o in outputs if len(o) == 4]  # noqa: PLR2004
    if len(rows) != 1 or len(rows) + len(prototypes) != len(outputs):
        raise ModelRefused(name, f"gives {list(outputs)}, not one output of boxes [1, fields, n]")
    if task == "detect" and prototypes:
        raise ModelRefused(name, "is said to detect but gives mask prototypes too")
    if task == "segment" and len(prototypes) != 1:
        raise ModelRefused(name, f"gives {list(outputs)}: mask prototypes [1, m, h, w] are missing")
    return rows[0], prototypes[0][1] if prototypes else 0


def _require_fields_first(
    file: str, rows: tuple[int, ...], side: int, names: int, masks: int
) -> None:
    """Refuse outputs [1, n, fields] by what they are; those of six fields may be end to end.

    Raises:
        ModelRefused: they are YOLOv5's, RT-DETR's, or transposed.
    """
    count, fields = rows[1], rows[2]
    anchors = sum((side // stride) ** 2 for stride in _STRIDES)
    is_end_to_end = fields == _END_TO_END_FIELDS + masks
    if not names or count <= fields:
        return
    if fields == 5 + names + masks and (count == _V5_BOXES * anchors or not is_end_to_end):
        raise ModelRefused(
            file,
            f"gives {list(rows)}: boxes with an objectness, as YOLOv5 and YOLOv7 do; YOLOv8 and "
            "YOLO11 exports can be used",
        )
    if fields == 4 + names + masks and (count == anchors or not is_end_to_end):
        raise ModelRefused(
            file,
            f"gives {list(rows)}: a row for each box, as RT-DETR and transposed exports do; "
            f"[1, {fields}, {count}] is needed",
        )


def _checked_names(file: str, names: tuple[str, ...], classes: int) -> tuple[str, ...]:
    if classes < 1:
        raise ModelRefused(file, f"has no room for class scores ({classes})")
    if not names:
        return tuple(f"class {i}" for i in range(classes))
    if len(names) != classes:
        raise ModelRefused(file, f"names {len(names)} classes but scores {classes}")
    return names


def _declared_hw(file: str, imgsz: str) -> tuple[int, int]:
    """Height and width that an exporter wrote down, as one number or a list of two."""
    try:
        sides = [int(p) for p in imgsz.strip("[]() ").split(",") if p.strip()]
    except ValueError as error:
        raise ModelRefused(file, f"says it takes pictures of {imgsz!r}") from error
    return (sides[0], sides[-1]) if sides else (_DEFAULT_SIDE_PX, _DEFAULT_SIDE_PX)


def _side(file: ModelFile, imgsz: str) -> int:
    """Side of the square input, from the tensor or, where that is free, from ``imgsz``."""
    name = file.path.name
    if len(file.inputs) != 1 or len(file.inputs[0]) != 4:  # noqa: PLR2004
        raise ModelRefused(name, f"takes {list(file.inputs)}, not one picture [1, 3, H, W]")
    _, channels, height, width = file.inputs[0]
    if channels not in (3, -1):
        raise ModelRefused(name, f"takes {channels} channels, not 3")
    if height == -1 or width == -1:
        height, width = _declared_hw(name, imgsz)
    if height != width:
        raise ModelRefused(name, f"takes pictures of {width} by {height}, not squares")
    return height
