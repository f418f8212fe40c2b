"""Containers on the whole photo: the networks of Demeter's own kind.

Tensor contract: input ``images`` [1, 3, S, S], float32, BGR 0..255, the photo, or a part of
it, at the top left of a grey square; output ``types`` [1, 6, s, s], probabilities of background
and the five types; output ``depth`` [1, 1, s, s], 0 at a container's edge, 1 from 12 pixels
inside it, or where it is deepest if it is nowhere so deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.containers.ellipse_fit import fit_rims
from demeter.vision.containers.multiscale import multiscale_maps
from demeter.vision.containers.watershed import TYPES, SeedRule, container_masks
from demeter.vision.errors import ModelRefused
from demeter.vision.geometry import (
    Polygon,
    area_px,
    fine_outline,
    simplify,
)
from demeter.vision.networks.devices import runner_for
from demeter.vision.networks.openvino_runner import (
    ModelFile,
    Precision,
    Preparation,
    Runner,
    open_model,
)
from demeter.vision.values import ContainerType

# Parts of a photo are segmented twice as large as the whole, which tells types by what is in
# them, and three or four times where containers are at most so many pixels of the whole's maps
# wide: edges there are a good part of a container. A nearer part of a large one looks like
# anything.
_ZOOM, _LARGER_ZOOMS = 2, ((14, 4), (28, 3))


@dataclass(frozen=True, slots=True)
class Region:
    """One container as a model names it; ``polygon_px`` in pixels of the photo."""

    label: str
    polygon_px: Polygon
    confidence: float


class Segmenter(Protocol):
    """Finds containers on a whole photo."""

    @property
    def identity(self) -> str:
        """``name@sha256``."""
        ...

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Regions of a photo [H, W, 3], in any order."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerSegmenter:
    """A segmenter of Demeter's own tensor contract."""

    identity: str
    side_px: int
    runner: Runner
    rule: SeedRule

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Containers of a photo [H, W, 3]."""
        maps = multiscale_maps(
            rgb, self.side_px, self._square_maps, lambda m: zoom_factor(m[:-1], m[-1], self.rule)
        )
        shares, depths = maps[:-1], maps[-1]
        size_wh = (rgb.shape[1], rgb.shape[0])
        masks = container_masks(shares, depths, self.rule)
        any_mask, foreground = np.zeros(depths.shape, np.bool_), 1 - shares[0]
        for mask in masks:
            any_mask |= mask
        regions = (_region(m, shares, foreground, size_wh, any_mask) for m in masks)
        return _fit_pot_rims([r for r in regions if r is not None], size_wh)

    def _square_maps(self, squares: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Types and depth [7, s, s] of each square."""
        return (np.concatenate([t[0], d[0]]) for t, d in self.runner(squares))


def load_container_segmenter(
    path: Path, precision: Precision, threads: int, rule: SeedRule | None = None
) -> ContainerSegmenter:
    """Compile a segmenter.

    Raises:
        ModelRefused: the file is no network or its tensors are not those of the contract.
    """
    file = open_model(path)
    side = _checked_side(file)
    plain = Preparation(bgr=True, divisor=1.0)
    runner = runner_for(file, plain, side, precision, threads)
    return ContainerSegmenter(file.identity, side, runner, rule or SeedRule())


def zoom_factor(shares: NDArray[np.float32], depth: NDArray[np.float32], rule: SeedRule) -> int:
    """How many times as large parts of a photo are segmented, by maps of the whole."""
    width = usual_width_px([int(m.sum()) for m in container_masks(shares, depth, rule)])
    if width is None:
        return _ZOOM
    return next((zoom for widest, zoom in _LARGER_ZOOMS if width <= widest), _ZOOM)


def usual_width_px(areas_px: Sequence[int]) -> float | None:
    """How wide the container is that a pixel of a container belongs to, in the median.

    Crumbs beside a large container hardly change it. ``None`` where there are no containers.
    """
    if not areas_px:
        return None
    ordered = np.sort(np.array(areas_px, np.float64))
    middle = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)
    return float(np.sqrt(ordered[middle]))


def _region(
    mask: NDArray[np.bool_],
    shares: NDArray[np.float32],
    foreground: NDArray[np.float32],
    size_wh: tuple[int, int],
    any_mask: NDArray[np.bool_],
) -> Region | None:
    """The container of a mask: its type by majority of probability, its outline.

    ``foreground`` [h, w] is how surely a pixel belongs to any container, ``any_mask`` which
    belong to the masks of all.
    """
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    window = np.s_[y : y + h, x : x + w]
    means = shares[1:, *window][:, mask[window]].mean(axis=1)
    best = int(np.argmax(means))
    scale = np.array(size_wh) / np.array(mask.shape[::-1])
    fine = fine_outline(mask, foreground, any_mask)
    polygon = simplify(fine * scale, float(scale.max()) / 2, size_wh)
    if len(polygon) < 3 or area_px(polygon) == 0:  # noqa: PLR2004 - no area, no container
        return None
    return Region(TYPES[best].value, polygon, round(float(means[best]), 4))


def _fit_pot_rims(regions: list[Region], size_wh: tuple[int, int]) -> tuple[Region, ...]:
    """The regions, pots' outlines brought to their rims."""
    pots = [k for k, r in enumerate(regions) if r.label == ContainerType.POT.value]
    rims = fit_rims([regions[k].polygon_px for k in pots], size_wh)
    for k, rim in zip(pots, rims, strict=True):
        regions[k] = replace(regions[k], polygon_px=rim)
    return tuple(regions)


def _checked_side(file: ModelFile) -> int:
    shapes = sorted(file.outputs, key=lambda s: -s[1] if len(s) > 1 else 0)
    fits = len(shapes) == 2 and all(len(s) == 4 for s in shapes)  # noqa: PLR2004
    if not fits or (shapes[0][1], shapes[1][1]) != (len(TYPES) + 1, 1):
        raise ModelRefused(
            file.path.name, f"gives {file.outputs}, not types [1, 6, s, s] and depth [1, 1, s, s]"
        )
    sides = {s for shape in file.inputs for s in shape[2:]}
    if len(file.inputs) != 1 or len(file.inputs[0]) != 4 or len(sides) != 1:  # noqa: PLR2004
        raise ModelRefused(file.path.name, f"takes {file.inputs}, not one square picture")
    (side,) = sides
    if side < 1:
        raise ModelRefused(file.path.name, f"takes {file.inputs}, not pictures of a fixed side")
    return side
