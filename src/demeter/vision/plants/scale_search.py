"""The scale at which plants are searched, estimated from the photo itself.

A detector sees plants best when they are of one size in its tile (`Detector.plant_px`). It
runs over a few tiles at each of several scales, an octave apart; the scale is taken at which
confident boxes of about that size explain most of what is there. What is known of packaging
and containers narrows the scales that are tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demeter.vision.hints import Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import Detector
from demeter.vision.plants.nms import merge_boxes
from demeter.vision.plants.tiled_resize import levels_of, scale_picture
from demeter.vision.plants.tiles import Tile, cover, tiles_with_content
from demeter.vision.values import Container, ContainerType

# Chosen on rendered photos, as the rule's numbers are. A sure box says far more than several
# doubtful ones, and a large one far less than its area: from afar a full tray looks like one
# plant. Empty places say as much, and are about twice as wide as what grows in such places.
SURENESS, _EXTENT, _PLACE = 4, 0.8, 2.0


@dataclass(frozen=True, slots=True)
class ScaleRule:
    """How the scale is estimated.

    ``tiles``: tiles of ``tile_px`` run a scale, at most. ``floor``: confidence from which a
    box counts as evidence. ``octaves``: how fast evidence fades as a box's size leaves the
    detector's best, as the standard deviation of a bell over log2 of the ratio.
    ``smallest_px``: plants smaller than that in the photo are not searched.
    ``largest_share``: nor ones larger than this share of the largest container's shorter
    side, unless that is a pot, which one plant may fill, or of a type less sure than
    ``sure_type``, which may be a pot. ``as_good``: the finest scale whose
    evidence is at least this share of the best's is taken, for from afar a full tray looks
    like one plant; of 113 rendered photos the size was off by more than 0.6 octaves in 6, and
    in 7 where the best is taken.
    """

    tiles: int = 6
    tile_px: int = 224
    floor: float = 0.2
    octaves: float = 1.0
    smallest_px: float = 10.0
    largest_share: float = 0.4
    sure_type: float = 0.5
    as_good: float = 0.8


@dataclass(frozen=True, slots=True)
class PlantSizes:
    """Between which sizes, in pixels of the photo, plants are searched."""

    smallest_px: float
    largest_px: float


@dataclass(frozen=True, slots=True)
class ScaleEstimate:
    """A plant's size in pixels of the photo, ``None`` when nothing was detected.

    ``evidence`` is (scale, score) of each scale tried.
    """

    plant_px: float | None
    evidence: tuple[tuple[float, float], ...]


def estimate_scale(
    rgb: NDArray[np.uint8],
    content: NDArray[np.bool_],
    detector: Detector,
    sizes: PlantSizes,
    rule: ScaleRule,
) -> ScaleEstimate:
    """Try several scales of the photo [H, W, 3], where ``content`` [h, w] holds."""
    candidates = scales(sizes, detector.plant_px)
    samples = [_sample_tiles(rgb, content, detector, scale, rule) for scale in candidates]
    # One run for all scales: pictures of the next are made while those of the last run.
    levels = levels_of(rgb, min(candidates))
    pictures = (scale_picture(levels, size_wh).cut(t) for tiles, size_wh in samples for t in tiles)
    boxes_of_tiles = iter(detector(pictures, rule.floor))
    scores: list[tuple[float, float, float]] = []
    for scale, (tiles, _) in zip(candidates, samples, strict=True):
        # Side by side and apart, so that boxes of one tile are merged with no other's.
        apart = [
            next(boxes_of_tiles).transform(1.0, (2 * detector.tile_px * k, 0))
            for k in range(len(tiles))
        ]
        boxes = merge_boxes(Boxes.join(apart))
        area = float(max(1, sum((t.y2 - t.y1) * (t.x2 - t.x1) for t in tiles)))
        likely = boxes.where(_is_plausible(boxes.size_px / scale, sizes))
        scores.append((scale, *_score(likely, area, detector.plant_px, rule)))
    evidence = tuple((round(s, 4), round(score, 4)) for s, score, _ in scores)
    enough = rule.as_good * max(score for _, score, _ in scores)
    scale, score, size = next(row for row in reversed(scores) if row[1] >= enough)
    return ScaleEstimate(size / scale if score > 0 else None, evidence)


def scales(sizes: PlantSizes, best_px: float) -> tuple[float, ...]:
    """The scales to try, at most an octave apart, coarse to fine.

    The coarsest shows the largest plants at the detector's best size ``best_px``, the
    finest the smallest.
    """
    coarsest, finest = best_px / sizes.largest_px, best_px / sizes.smallest_px
    count = max(1, math.ceil(math.log2(finest / coarsest) - 1e-9)) + 1
    return tuple(float(f) for f in np.geomspace(coarsest, finest, count))


def plausible_sizes(containers: tuple[Container, ...], hints: Hints, rule: ScaleRule) -> PlantSizes:
    """From what is known: an octave either way of the packaging's size in the photo.

    Without that, anything from the smallest up to what fits into the largest container.
    """
    expected = expected_plant_px(containers, hints)
    if expected is not None:
        return PlantSizes(expected / 2, expected * 2)
    widest = max(_widest_plant_px(c, rule) for c in containers)
    return PlantSizes(rule.smallest_px, max(widest, rule.smallest_px))


def _widest_plant_px(container: Container, rule: ScaleRule) -> float:
    xs, ys = zip(*container.polygon_px, strict=True)
    shorter_px = float(min(max(xs) - min(xs), max(ys) - min(ys)))
    may_be_pot = container.confidence < rule.sure_type
    one_fills_it = container.container_type is ContainerType.POT or may_be_pot
    return shorter_px if one_fills_it else shorter_px * rule.largest_share


def expected_plant_px(containers: tuple[Container, ...], hints: Hints) -> float | None:
    """A plant's size in the photo from what is known: packaging and containers' sizes.

    A plant is taken to be as wide as its packaging; ``None`` where either is not known.
    """
    per_cm = [s for c in containers if (s := px_per_cm(c, hints)) is not None]
    if not per_cm or not hints.packaging_diameter_cm:
        return None
    return float(np.median(per_cm)) * hints.packaging_diameter_cm


def px_per_cm(container: Container, hints: Hints) -> float | None:
    """Pixels a centimetre of a container whose type has a known size; by area."""
    size = hints.size_of(container.container_type)
    if size is None or container.whole_frame:
        return None
    return math.sqrt(container.area_px / (size.length_cm * size.width_cm))


def usual_plant_px(boxes: Boxes) -> float | None:
    """The median size of plants; of empty places where there are none, of what grows in such."""
    if len(boxes) == 0:
        return None
    plants = boxes.size_px[~boxes.is_empty]
    return float(np.median(plants) if len(plants) else np.median(boxes.size_px) / _PLACE)


def _is_plausible(size_px: NDArray[np.floating], sizes: PlantSizes) -> NDArray[np.bool_]:
    """Which sizes in pixels of the photo lie between the plausible ones, or near them."""
    slack = 1.3
    return (size_px > sizes.smallest_px / slack) & (size_px < sizes.largest_px * slack)


def _sample_tiles(
    rgb: NDArray[np.uint8],
    content: NDArray[np.bool_],
    detector: Detector,
    scale: float,
    rule: ScaleRule,
) -> tuple[list[Tile], tuple[int, int]]:
    """A few tiles of the scaled photo, and that photo's width and height."""
    height, width = rgb.shape[:2]
    scaled_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    side_px = min(rule.tile_px, detector.tile_px)
    tiles = tiles_with_content(cover(scaled_wh, side_px, 0), content)
    return _spread(tiles, rule.tiles), scaled_wh


def _spread(tiles: tuple[Tile, ...], count: int) -> list[Tile]:
    """``count`` tiles spread evenly over all of them, the middle ones of equal parts."""
    if len(tiles) <= count:
        return list(tiles)
    return [tiles[int((i + 0.5) * len(tiles) / count)] for i in range(count)]


def _score(boxes: Boxes, area_px: float, best_px: float, rule: ScaleRule) -> tuple[float, float]:
    """How much of the area confident boxes of the right size explain, and their size."""
    if len(boxes) == 0:
        return 0.0, best_px
    size = np.maximum(boxes.size_px, 1e-3)
    of_plant = np.where(boxes.is_empty, size / _PLACE, size)
    fit = np.exp(-0.5 * (np.log2(of_plant / best_px) / rule.octaves) ** 2)
    weight = boxes.confidence**SURENESS * fit
    informative = ~boxes.is_empty if (~boxes.is_empty).any() else boxes.is_empty
    score = float((weight * size**_EXTENT).sum() / area_px)
    return score, _weighted_median(of_plant[informative], weight[informative])


def _weighted_median(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
