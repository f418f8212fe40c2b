"""People's own YOLOX exports, as detectors.

One input [N, 3, S, S], BGR 0..255, the picture at the top left of a grey square; one output
[N, anchors, 5 + classes] with centre, size, objectness and class scores, both after the
sigmoid. As exported by default, centre and size are relative to each anchor's cell: x = (x' +
column) * stride and w = exp(w') * stride for strides 8, 16 and 32 (Ge et al., YOLOX, 2021);
exports that decode by themselves give pixels. Such files do not say what their classes are
called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.class_names import Meaning, meanings_of
from demeter.vision.networks.devices import runner_for
from demeter.vision.networks.openvino_runner import (
    ModelFile,
    Precision,
    Preparation,
    Runner,
    open_model,
)
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import PADDING_GREY, pad_tile

_PREPARATION = Preparation(bgr=True, divisor=1.0)
_STRIDES = (8, 16, 32)
_DEFAULT_SIDE_PX = 640
_PLANT_SHARE = 0.09
_FEWEST_FIELDS = 6
_LARGEST_EXPONENT = 10.0


@dataclass(frozen=True, slots=True)
class YoloxLayout:
    """Input side and class names of an export."""

    side_px: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class YoloxDetector:
    """A detection export; ``grid`` [anchors, 3] is column, row and stride, or none if decoded."""

    identity: str
    tile_px: int
    plant_px: float
    layout: YoloxLayout
    meanings: tuple[Meaning, ...]
    runner: Runner
    grid: NDArray[np.float32] | None

    @property
    def precision(self) -> str:
        """The arithmetic it runs in."""
        return self.runner.precision

    def __call__(self, tiles: Iterable[NDArray[np.uint8]], floor: float) -> list[Boxes]:
        """Plants and empties of each tile, unmerged; other classes are left out."""
        outputs = self.runner(pad_tile(t, self.tile_px) for t in tiles)
        return [self._boxes(o[0][0], floor) for o in outputs]

    def _boxes(self, rows: NDArray[np.float32], floor: float) -> Boxes:
        label = rows[:, 5:].argmax(axis=1)
        confidence = rows[:, 4] * rows[:, 5:].max(axis=1)
        plant = np.array([m.is_plant for m in self.meanings])
        empty = np.array([m.is_empty for m in self.meanings])
        keep = (confidence >= floor) & (plant[label] | empty[label])
        centre_size = rows[keep, :4]
        if self.grid is not None:
            centre_size = decode_boxes(centre_size, self.grid[keep])
        half = centre_size[:, 2:] / 2
        xyxy = np.concatenate([centre_size[:, :2] - half, centre_size[:, :2] + half], axis=1)
        return Boxes(xyxy.astype(np.float32), confidence[keep], empty[label[keep]])


def yolox_layout(file: ModelFile, names: Sequence[str] = ()) -> YoloxLayout:
    """Recognise an export; ``names`` are its classes, by index.

    Raises:
        ModelRefused: names what did not fit.
    """
    name = file.path.name
    if len(file.inputs) != 1 or len(file.inputs[0]) != 4 or file.inputs[0][1] not in (3, -1):  # noqa: PLR2004
        raise ModelRefused(name, f"takes {list(file.inputs)}, not one picture [N, 3, H, W]")
    height, width = file.inputs[0][2:]
    side = _DEFAULT_SIDE_PX if -1 in (height, width) else height
    if -1 not in (height, width) and height != width:
        raise ModelRefused(name, f"takes pictures of {width} by {height}, not squares")
    shapes = file.outputs
    if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][2] < _FEWEST_FIELDS:  # noqa: PLR2004
        raise ModelRefused(name, f"gives {list(shapes)}, not one [N, anchors, 5 + classes]")
    anchors, fields = shapes[0][1], shapes[0][2]
    if anchors not in (-1, len(grid_of(side))):
        raise ModelRefused(name, f"gives {anchors} anchors for pictures of {side}")
    return YoloxLayout(side, _names(name, names, fields - 5))


def load_yolox_detector(
    path: Path,
    precision: Precision,
    threads: int,
    mapping: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
) -> YoloxDetector:
    """Load a detection export; ``mapping`` says what its class names mean here.

    Raises:
        ModelRefused: it is none, or none of its classes is a plant.
    """
    file = open_model(path)
    layout = yolox_layout(file, names)
    meanings = tuple(meanings_of(layout.names, mapping))
    if not any(m.is_plant for m in meanings):
        class_names = ", ".join(layout.names[:20])
        raise ModelRefused(
            path.name, f"none of its classes is a plant: {class_names}; map one to it"
        )
    side = layout.side_px
    runner = runner_for(file, _PREPARATION, side, precision, threads)
    grid = None if _is_decoded(runner, side) else grid_of(side)
    return YoloxDetector(file.identity, side, side * _PLANT_SHARE, layout, meanings, runner, grid)


def grid_of(side_px: int) -> NDArray[np.float32]:
    """Column, row and stride of each anchor [anchors, 3], finest stride first, row by row."""
    parts = []
    for stride in _STRIDES:
        cells = side_px // stride
        row, column = np.divmod(np.arange(cells * cells), cells)
        parts.append(np.column_stack([column, row, np.full(cells * cells, stride)]))
    return np.concatenate(parts).astype(np.float32)


def decode_boxes(
    centre_size: NDArray[np.float32], grid: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Make centre and size in pixels of those relative to cells, both [n, 4]."""
    stride = grid[:, 2:]
    size = np.exp(np.minimum(centre_size[:, 2:], _LARGEST_EXPONENT))
    return np.concatenate([centre_size[:, :2] + grid[:, :2], size], axis=1) * stride


def _is_decoded(runner: Runner, side_px: int) -> bool:
    """Decoded centres lie all over the picture, relative ones within a few cells."""
    grey = np.full((side_px, side_px, 3), PADDING_GREY, np.uint8)
    ((rows,),) = runner([grey])
    centres = rows[0, :, :2]
    return bool(np.median(np.abs(centres)) > side_px / 8)


def _names(file: str, names: Sequence[str], classes: int) -> tuple[str, ...]:
    if not names:
        return tuple(f"class {i}" for i in range(classes))
    if len(names) != classes:
        raise ModelRefused(file, f"{len(names)} classes are named, it scores {classes}")
    return tuple(names)
