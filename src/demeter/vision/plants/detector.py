"""Plants and empty containers in one tile: the networks of Demeter's own kind.

Tensor contract: one input [N, 3, H, W], float32, BGR 0..255; one output [N, anchors, 7]
with centre x, centre y, width, height in input pixels, objectness, and one score each for
``plant`` and ``empty_container``, all after the sigmoid. A box's confidence is objectness
times the better score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.devices import runner_for
from demeter.vision.networks.openvino_runner import (
    ModelFile,
    Precision,
    Preparation,
    Runner,
    open_model,
)
from demeter.vision.plants.boxes import Boxes

PADDING_GREY = 114
TRAINED_PLANT_PX = (12.0, 52.0)  # between which sizes training shows plants
_FIELDS = 7


class Detector(Protocol):
    """Finds plants and empty containers in tiles of ``tile_px`` a side."""

    @property
    def identity(self) -> str:
        """``name@sha256``."""
        ...

    @property
    def precision(self) -> str:
        """The arithmetic it runs in, as recorded with counts."""
        ...

    @property
    def tile_px(self) -> int:
        """Side of the tiles it takes."""
        ...

    @property
    def plant_px(self) -> float:
        """The size of a plant, in tile pixels, that it sees best."""
        ...

    def __call__(self, tiles: Iterable[NDArray[np.uint8]], floor: float) -> list[Boxes]:
        """Boxes in tile pixels from confidence ``floor`` up, one `Boxes` a tile, in order.

        Tiles are RGB [h, w, 3] with h, w ≤ ``tile_px``; smaller ones are padded.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlantDetector:
    """A detector of Demeter's own tensor contract."""

    identity: str
    plant_px: float
    runners: tuple[Runner, ...]

    @property
    def precision(self) -> str:
        """The arithmetic it runs in."""
        return self.runners[-1].precision

    @property
    def tile_px(self) -> int:
        """Side of the largest tiles it takes."""
        return self.runners[-1].input_hw[0]

    def __call__(self, tiles: Iterable[NDArray[np.uint8]], floor: float) -> list[Boxes]:
        """Boxes of each tile, unmerged; each runs at the smallest size that holds it."""
        boxes_of_tiles: list[Boxes] = []
        for side, group in groupby(tiles, self._side_for):
            runner = next(r for r in self.runners if r.input_hw[0] == side)
            boxes_of_tiles += [
                _boxes(o[0][0], floor) for o in runner(pad_tile(t, side) for t in group)
            ]
        return boxes_of_tiles

    def _side_for(self, tile: NDArray[np.uint8]) -> int:
        sides = [r.input_hw[0] for r in self.runners]
        return next((s for s in sides if s >= max(tile.shape[:2])), sides[-1])


def load_plant_detector(
    path: Path, precision: Precision, threads: int, tile_sides_px: Sequence[int], plant_px: float
) -> PlantDetector:
    """Compile a detector for tiles of some sizes, or of its own size where that is fixed.

    Raises:
        ModelRefused: the file is no network or its tensors are not those of the contract.
    """
    file = open_model(path)
    plain = Preparation(bgr=True, divisor=1.0)
    sides = sorted({_side(file, s) for s in tile_sides_px})
    runners = tuple(runner_for(file, plain, s, precision, threads) for s in sides)
    return PlantDetector(file.identity, plant_px, runners)


def pad_tile(tile: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Put the tile into the upper left of a grey square; the tile itself if it fills it."""
    if tile.shape[:2] == (side, side):
        return tile
    canvas = np.full((side, side, 3), PADDING_GREY, np.uint8)
    canvas[: tile.shape[0], : tile.shape[1]] = tile
    return canvas


def _side(file: ModelFile, wanted_px: int) -> int:
    if len(file.inputs) != 1 or len(file.inputs[0]) != 4 or file.inputs[0][1] not in (3, -1):  # noqa: PLR2004
        raise ModelRefused(file.path.name, f"takes {file.inputs}, not one [N, 3, H, W]")
    if len(file.outputs) != 1 or len(file.outputs[0]) != 3 or file.outputs[0][2] != _FIELDS:  # noqa: PLR2004
        raise ModelRefused(file.path.name, f"gives {file.outputs}, not one [N, anchors, 7]")
    _, _, height, width = file.inputs[0]
    if height != width:
        raise ModelRefused(file.path.name, f"takes pictures of {width} by {height}, not squares")
    return wanted_px if height == -1 else height


def _boxes(rows: NDArray[np.float32], floor: float) -> Boxes:
    """Rows [anchors, 7] above the floor as boxes."""
    rows = rows[rows[:, 4] >= floor]  # no box is surer than that anything is there
    confidence = rows[:, 4] * np.maximum(rows[:, 5], rows[:, 6])
    keep = confidence >= floor
    rows, confidence = rows[keep], confidence[keep]
    half = rows[:, 2:4] / 2
    xyxy = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    return Boxes(xyxy.astype(np.float32), confidence, rows[:, 6] > rows[:, 5])
