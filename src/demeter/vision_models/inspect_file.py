"""What a model file is: Demeter's own kind, a YOLO export, a YOLOX export, or nothing for us."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.containers.segmenter import TYPES, Region, Segmenter, load_container_segmenter
from demeter.vision.errors import ModelRefused
from demeter.vision.networks.class_names import meaning_of
from demeter.vision.networks.openvino_runner import ModelFile, Precision, open_model
from demeter.vision.networks.shipped import PLANT_PX, TILE_SIDES_PX
from demeter.vision.networks.yolo import (
    YoloDetector,
    YoloSegmenter,
    load_yolo_detector,
    load_yolo_segmenter,
)
from demeter.vision.networks.yolo_layout import yolo_layout, yolo_names
from demeter.vision.networks.yolo_rows import require_end_to_end, unnamed_classes
from demeter.vision.networks.yolox import load_yolox_detector, yolox_layout
from demeter.vision.plants.detector import PADDING_GREY, Detector, load_plant_detector
from demeter.vision_models.models import VisionTask

OWN, YOLO, YOLOX = "demeter", "yolo", "yolox"
IGNORE = "ignore"  # what a class is mapped to that is not to be looked at
OWN_CLASSES = ("plant", "empty_container")
_OWN_FIELDS = 5 + len(OWN_CLASSES)
_FLOOR = 0.1  # of confidence, as counting asks for


@dataclass(frozen=True, slots=True)
class ModelKind:
    """What a file is: its task, family, classes by index, and the side of its input."""

    sha256: str
    task: VisionTask
    family: str
    classes: tuple[str, ...]
    input_side_px: int


def kind_of(path: Path, names: Sequence[str] = ()) -> ModelKind:
    """Recognise a file by its tensors; ``names`` are the classes where it names none.

    Raises:
        ModelRefused: it is no network, or none that detects or segments; with the reason.
    """
    file = open_model(path)
    if _is_own_detector(file):
        return ModelKind(file.sha256, VisionTask.DETECT, OWN, OWN_CLASSES, TILE_SIDES_PX[-1])
    if _is_own_segmenter(file):
        side = file.inputs[0][2]
        return ModelKind(file.sha256, VisionTask.SEGMENT, OWN, tuple(t.value for t in TYPES), side)
    if _looks_like_yolox(file):
        layout = yolox_layout(file, names)
        return ModelKind(file.sha256, VisionTask.DETECT, YOLOX, layout.names, layout.side_px)
    layout = yolo_layout(file)
    return ModelKind(file.sha256, VisionTask(layout.task), YOLO, layout.names, layout.side_px)


def load_network(
    path: Path,
    kind: ModelKind,
    mapping: Mapping[str, str],
    precision: Precision,
    threads: int,
) -> Detector | Segmenter:
    """The model, compiled.

    Raises:
        ModelRefused: it cannot be compiled, or none of its classes means anything here.
    """
    match kind.task, kind.family:
        case VisionTask.DETECT, "demeter":
            return load_plant_detector(path, precision, threads, TILE_SIDES_PX, PLANT_PX)
        case VisionTask.DETECT, "yolox":
            return load_yolox_detector(path, precision, threads, mapping, kind.classes)
        case VisionTask.DETECT, _:
            return load_yolo_detector(path, precision, threads, mapping)
        case _, "demeter":
            return load_container_segmenter(path, precision, threads)
        case _:
            return ContainersOnlySegmenter(load_yolo_segmenter(path, precision, threads, mapping))


def require_running(path: Path, kind: ModelKind, model: Detector | Segmenter) -> tuple[Notice, ...]:
    """Run a model on a grey and on a speckled picture: one that compiles may still not answer.

    Returns what is odd in its answers.

    Raises:
        ModelRefused: it does not, or not as its kind answers.
    """
    side = kind.input_side_px
    grey = np.full((side, side, 3), PADDING_GREY, np.uint8)
    speckled = np.random.default_rng(0).integers(0, 256, grey.shape, np.uint8)
    try:
        with warnings.catch_warnings(action="ignore"):  # they are returned
            for picture in (grey, speckled):
                if kind.task is VisionTask.DETECT:
                    cast("Detector", model)([picture], _FLOOR)
                else:
                    cast("Segmenter", model)(picture)
    except (RuntimeError, TypeError, ValueError, IndexError, cv2.error) as error:
        raise ModelRefused(path.name, f"does not run on a grey picture: {error}") from error
    return _odd_answers(model, (grey, speckled))


def _odd_answers(
    model: Detector | Segmenter, pictures: Sequence[NDArray[np.uint8]]
) -> tuple[Notice, ...]:
    """Of an export whose rows say their class: classes that it does not name."""
    export = model.segmenter if isinstance(model, ContainersOnlySegmenter) else model
    if not isinstance(export, YoloDetector | YoloSegmenter):
        return ()
    answers = [export.answer(picture) for picture in pictures]
    require_end_to_end(answers, export.layout)
    unnamed = sorted({c for answer in answers for c in unnamed_classes(answer, export.layout)})
    if not unnamed:
        return ()
    classes = ", ".join(map(str, unnamed))
    return (Notice("classes_not_named", {"file": export.layout.file, "classes": classes}),)


@dataclass(frozen=True, slots=True)
class ContainersOnlySegmenter:
    """A segmenter without the classes that are plants, empty places, or mapped to ``ignore``.

    A class that means nothing here stays: it becomes a segment, with a warning.
    """

    segmenter: Segmenter

    @property
    def identity(self) -> str:
        """That of the segmenter."""
        return self.segmenter.identity

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Regions of a photo [H, W, 3] that are containers."""
        return tuple(r for r in self.segmenter(rgb) if is_container(r.label))


def is_container(label: str) -> bool:
    """Whether what a segmenter calls so is, or may be, a container."""
    meaning = meaning_of(label)
    return label != IGNORE and not meaning.is_plant and not meaning.is_empty


def require_classes(path: Path, kind: ModelKind, mapping: Mapping[str, str]) -> None:
    """Refuse a mapping of classes that the model does not have.

    Raises:
        ModelRefused: names them.
    """
    unknown = sorted(set(mapping) - set(kind.classes))
    if unknown:
        class_names = ", ".join(kind.classes[:20])
        raise ModelRefused(path.name, f"has no class {', '.join(unknown)}; it has {class_names}")


def _is_own_detector(file: ModelFile) -> bool:
    """By the free sizes in which such files are written."""
    return (
        len(file.outputs) == 1
        and len(file.outputs[0]) == 3  # noqa: PLR2004
        and file.outputs[0][1:] == (-1, _OWN_FIELDS)
        and len(file.inputs) == 1
        and file.inputs[0][2:] == (-1, -1)
    )


def _is_own_segmenter(file: ModelFile) -> bool:
    maps = sorted(shape[1] for shape in file.outputs if len(shape) == 4)  # noqa: PLR2004
    pictures = [shape for shape in file.inputs if len(shape) == 4]  # noqa: PLR2004
    return len(file.outputs) == 2 and maps == [1, len(TYPES) + 1] and len(pictures) == 1  # noqa: PLR2004


def _looks_like_yolox(file: ModelFile) -> bool:
    """One output whose anchors come before its fields, and as many as the strides make.

    Exports of YOLOX name no classes; one that does is another's.
    """
    if len(file.outputs) != 1 or len(file.outputs[0]) != 3:  # noqa: PLR2004
        return False
    try:
        layout = yolox_layout(file)
    except ModelRefused:
        return False
    return yolo_names(file) in ((), layout.names)
