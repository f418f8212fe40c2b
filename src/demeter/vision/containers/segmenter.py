"""Containers on the whole photo: the networks of Demeter's own kind.

Tensor contract: input ``images`` [1, 3, S, S], float32, BGR 0..255, the photo, or a part of
it, at the top left of a grey square; output ``types`` [1, 6, s, s], probabilities of background
and the five types; output ``depth`` [1, 1, s, s], 0 at a container's edge, 1 from 12 pixels
inside it, or where it is deepest if it is nowhere so deep.
Touching containers are told apart by their depths: each deep part is the seed of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from demeter.vision.containers.ellipse_fit import straightened
from demeter.vision.containers.multiscale import seen
from demeter.vision.errors import ModelRefused
from demeter.vision.geometry import (
    Polygon,
    area_px,
    closed_and_filled,
    fine_outline,
    simplified,
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

TYPES = (
    ContainerType.SEGMENT,
    ContainerType.BOX,
    ContainerType.PLUG,
    ContainerType.SEEDLING_TRAY,
    ContainerType.POT,
)
_MOSTLY = 0.5
# Parts of a photo are looked at twice as large as the whole, which tells types by what is in
# them, and three or four times where containers are at most so many pixels of the whole's maps
# wide: edges there are a good part of a container. Of large ones a nearer part looks like
# anything.
_NEAR, _NEARER = 2, ((14, 4), (28, 3))


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
class SeedRule:
    """What makes an instance of the maps; lengths and areas in pixels of the maps.

    A deep part is a container of its own if it rises by ``min_rise`` above the pass to a
    deeper one, where pots stand by ``min_rise_pots``: they are small and close, and what
    lies in a bed or tray makes its depth uneven. Parts are looked for at steps of ``level``
    down to ``seed_depth``.
    ``min_share`` is of the photo's area: what is smaller is no container.
    """

    foreground: float = 0.5
    seed_depth: float = 0.3
    min_rise: float = 0.2
    min_rise_pots: float = 0.1
    level: float = 0.1
    min_seed_px: int = 6
    min_share: float = 0.001
    closing_px: int = 1


@dataclass(frozen=True, slots=True)
class ContainerSegmenter:
    """A segmenter of Demeter's own tensor contract."""

    identity: str
    side_px: int
    runner: Runner
    rule: SeedRule

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Containers of a photo [H, W, 3]."""
        maps = seen(rgb, self.side_px, self._look, lambda m: nearness(m[:-1], m[-1], self.rule))
        shares, depths = maps[:-1], maps[-1]
        size_wh = (rgb.shape[1], rgb.shape[0])
        masks = instances(shares, depths, self.rule)
        taken, anything = np.zeros(depths.shape, np.bool_), 1 - shares[0]
        for mask in masks:
            taken |= mask
        found = (_region(m, shares, anything, size_wh, taken) for m in masks)
        return _with_rims([r for r in found if r is not None], size_wh)

    def _look(self, squares: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
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


def instances(
    shares: NDArray[np.float32], depth: NDArray[np.float32], rule: SeedRule
) -> list[NDArray[np.bool_]]:
    """One mask [h, w] a container from probabilities [6, h, w] and depth [h, w]."""
    mask = (1 - shares[0]) > rule.foreground
    pots = shares.argmax(axis=0) == 1 + TYPES.index(ContainerType.POT)
    seeds = _seeds(mask, depth, pots, rule)
    owner = _nearest(seeds) * mask
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    whole = [
        _placed(_largest(owner[w] == k + 1), w, mask.shape, rule)
        for k, w in enumerate(find_objects(owner))
        if w is not None
    ]
    # Nothing deep in it: a thin container, or a crumb.
    shallow = [
        _placed(parts[w] == k + 1, w, mask.shape, rule)
        for k, w in enumerate(find_objects(parts))
        if w is not None and not seeds[w][parts[w] == k + 1].any()
    ]
    return [m for m in (*whole, *shallow) if m.sum() >= rule.min_share * mask.size]


def nearness(shares: NDArray[np.float32], depth: NDArray[np.float32], rule: SeedRule) -> int:
    """How many times as large parts of a photo are looked at, by maps of the whole."""
    width = usual_width_px([int(m.sum()) for m in instances(shares, depth, rule)])
    if width is None:
        return _NEAR
    return next((times for widest, times in _NEARER if width <= widest), _NEAR)


def usual_width_px(areas_px: Sequence[int]) -> float | None:
    """How wide the container is that a pixel of a container belongs to, in the median.

    Crumbs beside a large container hardly change it. ``None`` where there are no containers.
    """
    if not areas_px:
        return None
    ordered = np.sort(np.array(areas_px, np.float64))
    middle = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)
    return float(np.sqrt(ordered[middle]))


def _placed(
    part: NDArray[np.bool_], window: tuple[slice, ...], shape: tuple[int, ...], rule: SeedRule
) -> NDArray[np.bool_]:
    """A mask of the whole map from the part of it in a window, closed and filled."""
    placed = np.zeros(shape, np.bool_)
    placed[window] = closed_and_filled(part, rule.closing_px)
    return placed


def _seeds(
    mask: NDArray[np.bool_],
    depth: NDArray[np.float32],
    pots: NDArray[np.bool_],
    rule: SeedRule,
) -> NDArray[np.int32]:
    """The number of the container on each pixel that is surely its own, from 1 up, else 0.

    A flood that falls: at each level the parts above it are islands. An island without a
    seed becomes one; where seeds meet, one that rises too little above the sea is the
    deeper one's, and the island is divided among those that remain.
    """
    seeds = np.zeros(mask.shape, np.int32)
    peaks = [0.0]
    for sea in np.arange(1.0 - rule.level, rule.seed_depth - 1e-6, -rule.level):
        deep = (mask & (depth > sea)).astype(np.uint8)
        count, islands, stats, _ = cv2.connectedComponentsWithStats(deep, connectivity=4)
        for island in range(1, count):
            if stats[island, cv2.CC_STAT_AREA] < rule.min_seed_px:
                continue
            x, y, w, h = stats[island, :4]
            window = np.s_[y : y + h, x : x + w]
            here = islands[window] == island
            rise = rule.min_rise_pots if pots[window][here].mean() > _MOSTLY else rule.min_rise
            _settle(seeds[window], here, peaks, float(sea), rise)
    living = _numbers(seeds)
    number = np.zeros(len(peaks), np.int32)
    number[living] = np.arange(1, len(living) + 1)
    return number[seeds]


def _settle(
    seeds: NDArray[np.int32],
    here: NDArray[np.bool_],
    peaks: list[float],
    sea: float,
    min_rise: float,
) -> None:
    """Let the seeds of one island live on, drown or begin; ``seeds`` is changed in place."""
    living = sorted(_numbers(seeds[here]).tolist(), key=lambda k: -peaks[k])
    if not living:
        peaks.append(sea)
        seeds[here] = len(peaks) - 1
        return
    strong = [living[0], *(k for k in living[1:] if peaks[k] - sea >= min_rise)]
    if len(strong) == 1:
        seeds[here] = strong[0]
        return
    for weak in set(living) - set(strong):
        seeds[here & (seeds == weak)] = 0
    # The pass between two is where they meet: from there on each keeps to its own side.
    free = here & (seeds == 0)
    seeds[free] = _nearest(np.where(here, seeds, 0))[free]


def _numbers(seeds: NDArray[np.int32]) -> NDArray[np.intp]:
    """The seeds there are, ascending."""
    counts = np.bincount(seeds.ravel())
    return 1 + np.flatnonzero(counts[1:])


def _nearest(seeds: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each pixel the seed that is nearest, 0 everywhere if there is none."""
    if not seeds.any():
        return np.zeros_like(seeds)
    away = (seeds == 0).astype(np.uint8)
    _, cells = cv2.distanceTransformWithLabels(
        away, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seed_of_cell = np.zeros(int(cells.max()) + 1, np.int32)
    seed_of_cell[cells[seeds > 0]] = seeds[seeds > 0]
    return seed_of_cell[cells]


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count <= 2:  # noqa: PLR2004 - background and one part
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _region(
    mask: NDArray[np.bool_],
    shares: NDArray[np.float32],
    anything: NDArray[np.float32],
    size_wh: tuple[int, int],
    taken: NDArray[np.bool_],
) -> Region | None:
    """The container of a mask: its type by majority of probability, its outline.

    ``anything`` [h, w] is how surely a pixel belongs to any container, ``taken`` which belong
    to the masks of all.
    """
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    window = np.s_[y : y + h, x : x + w]
    means = shares[1:, *window][:, mask[window]].mean(axis=1)
    best = int(np.argmax(means))
    scale = np.array(size_wh) / np.array(mask.shape[::-1])
    fine = fine_outline(mask, anything, taken)
    polygon = simplified(fine * scale, float(scale.max()) / 2, size_wh)
    if len(polygon) < 3 or area_px(polygon) == 0:  # noqa: PLR2004 - no area, no container
        return None
    return Region(TYPES[best].value, polygon, round(float(means[best]), 4))


def _with_rims(regions: list[Region], size_wh: tuple[int, int]) -> tuple[Region, ...]:
    """The regions, pots' outlines brought to their rims."""
    pots = [k for k, r in enumerate(regions) if r.label == ContainerType.POT.value]
    rims = straightened([regions[k].polygon_px for k in pots], size_wh)
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
