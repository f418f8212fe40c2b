"""What a rendered scene is: the picture and the exact truth about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from demeter.vision.values import Box, ContainerType

# OpenCV's type stubs hand back arrays of any number; the names say which is meant.
Floats = NDArray[Any]
Bytes = NDArray[Any]
Integers = NDArray[Any]
Mask = NDArray[Any]


@dataclass(frozen=True, slots=True)
class SceneContainer:
    """A container; ``polygon_px`` is its rim, where no other container hides it.

    ``world`` is its index in the world it was rendered from, the same in every photo of
    that world. ``plants`` and ``empties`` count what stands in it within the frame and of
    which at least some pixels are seen.
    """

    container_type: ContainerType
    polygon_px: tuple[tuple[float, float], ...]
    world: int
    plants: int
    empties: int


@dataclass(frozen=True, slots=True)
class ScenePlant:
    """A plant: the box around what can be seen of it.

    ``container`` indexes ``Scene.containers`` (-1: it stands in none that is in the frame),
    ``world`` is the plant's index in its world, ``visible`` the share of its pixels that
    nothing hides, 0 to 1.
    """

    xyxy_px: Box
    container: int
    world: int
    kind: str
    visible: float


@dataclass(frozen=True, slots=True)
class SceneEmpty:
    """An empty pot, cell or tray place: the box of its opening."""

    xyxy_px: Box
    container: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (``rgb``, uint8, height x width x 3) and its truth."""

    rgb: Bytes
    containers: tuple[SceneContainer, ...]
    plants: tuple[ScenePlant, ...]
    empties: tuple[SceneEmpty, ...]
    kind: str
    seed: int
