"""One mask a container from a segmenter's maps: a watershed that falls from the deepest parts.

Touching containers are told apart by their depths: each deep part is the seed of one, and where
two seeds meet, each keeps to its own side.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import close_and_fill
from demeter.vision.values import ContainerType

# Types in the order of a segmenter's channels after background.
TYPES = (
    ContainerType.SEGMENT,
    ContainerType.BOX,
    ContainerType.PLUG,
    ContainerType.SEEDLING_TRAY,
    ContainerType.POT,
)
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class SeedRule:
    """What makes a container of the maps; lengths and areas in pixels of the maps.

    A deep part is a container of its own if it rises by ``min_rise`` above the pass to a
    deeper one, where pots stand by ``min_rise_pots``: they are small and close, and what
    lies in a bed or tray makes its depth uneven. Parts are searched at steps of ``level`` down
    to ``seed_depth``.
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


def container_masks(
    shares: NDArray[np.float32], depth: NDArray[np.float32], rule: SeedRule
) -> list[NDArray[np.bool_]]:
    """One mask [h, w] a container from probabilities [6, h, w] and depth [h, w]."""
    from scipy.ndimage import find_objects  # noqa: PLC0415  slow to import

    mask = (1 - shares[0]) > rule.foreground
    pots = shares.argmax(axis=0) == 1 + TYPES.index(ContainerType.POT)
    seeds = _seed_map(mask, depth, pots, rule)
    owner = _nearest_seeds(seeds) * mask
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    whole = [
        _place(_largest_part(owner[w] == k + 1), w, mask.shape, rule)
        for k, w in enumerate(find_objects(owner))
        if w is not None
    ]
    # Nothing deep in it: a thin container, or a crumb.
    shallow = [
        _place(parts[w] == k + 1, w, mask.shape, rule)
        for k, w in enumerate(find_objects(parts))
        if w is not None and not seeds[w][parts[w] == k + 1].any()
    ]
    return [m for m in (*whole, *shallow) if m.sum() >= rule.min_share * mask.size]


def _place(
    part: NDArray[np.bool_], window: tuple[slice, ...], shape: tuple[int, ...], rule: SeedRule
) -> NDArray[np.bool_]:
    """A mask of the whole map from the part of it in a window, closed and filled."""
    placed = np.zeros(shape, np.bool_)
    placed[window] = close_and_fill(part, rule.closing_px)
    return placed


def _seed_map(
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
            on_island = islands[window] == island
            rise = rule.min_rise_pots if pots[window][on_island].mean() > _MOSTLY else rule.min_rise
            _resolve_island(seeds[window], on_island, peaks, float(sea), rise)
    living = _seed_numbers(seeds)
    number = np.zeros(len(peaks), np.int32)
    number[living] = np.arange(1, len(living) + 1)
    return number[seeds]


def _resolve_island(
    seeds: NDArray[np.int32],
    on_island: NDArray[np.bool_],
    peaks: list[float],
    sea: float,
    min_rise: float,
) -> None:
    """Keep, end or begin the seeds of one island; ``seeds`` is changed in place."""
    living = sorted(_seed_numbers(seeds[on_island]).tolist(), key=lambda k: -peaks[k])
    if not living:
        peaks.append(sea)
        seeds[on_island] = len(peaks) - 1
        return
    strong = [living[0], *(k for k in living[1:] if peaks[k] - sea >= min_rise)]
    if len(strong) == 1:
        seeds[on_island] = strong[0]
        return
    for weak in set(living) - set(strong):
        seeds[on_island & (seeds == weak)] = 0
    # The pass between two is where they meet: from there on each keeps to its own side.
    free = on_island & (seeds == 0)
    seeds[free] = _nearest_seeds(np.where(on_island, seeds, 0))[free]


def _seed_numbers(seeds: NDArray[np.int32]) -> NDArray[np.intp]:
    """The seeds there are, ascending."""
    counts = np.bincount(seeds.ravel())
    return 1 + np.flatnonzero(counts[1:])


def _nearest_seeds(seeds: NDArray[np.int32]) -> NDArray[np.int32]:
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


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count <= 2:  # noqa: PLR2004 - background and one part
        return mask
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
