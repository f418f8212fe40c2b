"""What a person (or a renderer) marked in a photo, whichever file that came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import Polygon
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.values import ContainerType


@dataclass(frozen=True, slots=True)
class MarkedContainer:
    """A container that was marked: its kind, its outline and the plants in it, if known."""

    container_type: ContainerType
    polygon_px: Polygon
    plants: int | None = None


@dataclass(frozen=True, slots=True)
class MarkedPhoto:
    """A photo and its marks, in pixels of the upright image.

    ``plants`` and ``empties`` are discs [n, 3]: x, y, radius. Plants in ``ignore`` count
    neither way. ``boxes`` [n, 4] are the plants' boxes where the labels have boxes, else
    ``None``; ``containers`` and ``empties`` are ``None`` where nobody marked such things.
    """

    file: Path
    size_wh: tuple[int, int]
    plants: NDArray[np.float64]
    ignore: IgnoredRegions
    empties: NDArray[np.float64] | None = None
    boxes: NDArray[np.float64] | None = None
    containers: tuple[MarkedContainer, ...] | None = None
    scene: str = ""


def discs_of(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes [n, 4] as discs [n, 3] around their centres; radius half the larger side."""
    boxes = boxes.reshape(-1, 4)
    radius = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) / 2
    return np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, radius])
