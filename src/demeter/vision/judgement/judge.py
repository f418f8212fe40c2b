"""A small network that judges whether squares of a photo show plants.

Tensor contract: input ``images`` [N, 3, S, S], float32, BGR 0..255; output ``plants`` [N, 1],
how likely the square shows a plant, 0 to 1. It was trained for nothing else, on drawn soils,
gravels, grain, floors, hands, packets, screens and noise beside drawn plants; a detector takes
what it was never shown for what it knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.geometry import letterbox
from demeter.vision.networks.devices import runner_for
from demeter.vision.networks.openvino_runner import Precision, Preparation, Runner, open_model
from demeter.vision.plants.boxes import Boxes

# A plant is looked at so many pixels wide, enlarged at most so much, by at most so many squares;
# fewer boxes than squares are looked at one by one.
_PLANT_PX, _LARGEST_SCALE, _MOST_SQUARES = 44.0, 1.5, 8


class Judge(Protocol):
    """Says how likely squares show plants."""

    @property
    def identity(self) -> str:
        """``name@sha256``."""
        ...

    @property
    def side_px(self) -> int:
        """Side of the squares it takes."""
        ...

    def __call__(self, squares: Iterable[NDArray[np.uint8]]) -> list[float]:
        """One likelihood a square [S, S, 3], in order."""
        ...


@dataclass(frozen=True, slots=True)
class PlantJudge:
    """A judge of Demeter's own tensor contract."""

    identity: str
    side_px: int
    runner: Runner

    def __call__(self, squares: Iterable[NDArray[np.uint8]]) -> list[float]:
        """One likelihood a square [S, S, 3], in order."""
        return [float(np.ravel(out[0])[0]) for out in self.runner(squares)]


def load_plant_judge(path: Path, precision: Precision, threads: int) -> PlantJudge:
    """Compile a judge.

    Raises:
        ModelRefused: the file is no network or its tensors are not those of the contract.
    """
    file = open_model(path)
    if len(file.inputs) != 1 or len(file.inputs[0]) != 4 or file.inputs[0][2] < 1:  # noqa: PLR2004
        raise ModelRefused(file.path.name, f"takes {file.inputs}, not one picture of a fixed side")
    side = file.inputs[0][2]
    runner = runner_for(file, Preparation(bgr=True, divisor=1.0), side, precision, threads)
    return PlantJudge(file.identity, side, runner)


def plants_likelihood(rgb: NDArray[np.uint8], plants: Boxes, judge: Judge) -> float:
    """How likely a photo [H, W, 3] shows plants, 0 to 1, looked at where ``plants`` were found.

    The mean over squares spread over the boxes, each so large that a plant of the usual size is
    seen well; of a photo without boxes, the whole of it in one square.
    """
    if len(plants) == 0:
        return judge([letterbox(rgb, judge.side_px, centred=False).square])[0]
    size_px = float(np.median(plants.size_px))
    take = round(judge.side_px * max(size_px / _PLANT_PX, 1 / _LARGEST_SCALE))
    centres = _spread(plants)
    return float(np.mean(judge(_square(rgb, c, take, judge.side_px) for c in centres)))


def _spread(plants: Boxes) -> NDArray[np.floating]:
    """Centres of boxes, spread evenly over all in reading order."""
    ordered = plants.in_reading_order().centre_px
    if len(ordered) <= _MOST_SQUARES:
        return ordered
    return ordered[[int((i + 0.5) * len(ordered) / _MOST_SQUARES) for i in range(_MOST_SQUARES)]]


def _square(
    rgb: NDArray[np.uint8], centre: NDArray[np.floating], take: int, side: int
) -> NDArray[np.uint8]:
    """The part of the photo around a centre, moved into the frame, as a square of ``side``."""
    height, width = rgb.shape[:2]
    x0 = min(max(0, math.floor(centre[0] - take / 2)), max(0, width - take))
    y0 = min(max(0, math.floor(centre[1] - take / 2)), max(0, height - take))
    part = rgb[y0 : y0 + take, x0 : x0 + take]
    return letterbox(part, side, centred=False).square
