"""Step 2: plants and empty containers, tile by tile, each in the container it stands in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import polygon_map
from demeter.vision.hints import Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import Detector
from demeter.vision.plants.looks import fuse_looks, nearest_homes
from demeter.vision.plants.nms import MergeRule, consistent_boxes, merge_boxes
from demeter.vision.plants.scale_search import (
    SURENESS,
    ScaleEstimate,
    ScaleRule,
    estimate_scale,
    expected_plant_px,
    plausible_sizes,
)
from demeter.vision.plants.tiled_resize import ScaledPicture, levels_of, scale_picture
from demeter.vision.plants.tiles import Tile, cover, tiles_with_content
from demeter.vision.values import Container

OnProgress = Callable[[float], None]
_MAP_SIDE_PX = 1600
_FEWEST_TO_COMPARE = 5
_LEAST_ENLARGEMENT = 1.25  # a second pass that shows plants less enlarged is not worth its time


@dataclass(frozen=True, slots=True)
class DetectRule:
    """How detection works.

    ``threshold``: confidence from which a box is a plant or an empty container; one below
    it, but not below ``faint``, says no more than that foliage there may be plants.
    ``overlap_plants``: overlap of tiles in sizes of a plant. ``unsure``: median confidence
    of a container's plants below which it has a second pass ``closer`` times as large.
    ``largest_scale``: how far a photo is enlarged at most. ``few_tiles``: a photo that needs
    no more is looked at from ``farther`` and ``nearer`` as well, and ``agreed_share`` of the
    threshold is enough in the mean of the three; chosen on 20 drawn growers' photos.
    """

    threshold: float = 0.35
    faint: float = 0.1
    overlap_plants: float = 1.8
    unsure: float = 0.86
    closer: float = 1.5
    largest_scale: float = 4.0
    few_tiles: int = 8
    farther: float = 0.8
    nearer: float = 1.25
    agreed_share: float = 0.7
    merge: MergeRule = field(default_factory=MergeRule)
    look: ScaleRule = field(default_factory=ScaleRule)  # named as in the counts' stored parameters


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """Boxes in photo pixels and the container of each; what scale each container had.

    ``faint``: where plants may be that the detector was not sure of.
    """

    boxes: Boxes
    container: NDArray[np.intp]
    faint: Boxes
    scale: tuple[float, ...]
    scale_estimate: ScaleEstimate
    tiles: int

    def in_containers(self, containers: Sequence[int]) -> DetectionResult:
        """What is in these containers only, numbered anew in this order."""
        number = np.full(len(self.scale) + 1, -1, np.intp)  # the last stands for none
        number[list(containers)] = np.arange(len(containers))
        home = number[self.container]
        inside = home >= 0
        return replace(
            self,
            boxes=self.boxes.where(inside),
            container=home[inside],
            scale=tuple(self.scale[k] for k in containers),
        )


def detect_plants(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    detector: Detector,
    hints: Hints,
    *,
    rule: DetectRule,
    on_progress: OnProgress,
) -> DetectionResult:
    """Detect all plants and empty places in the containers of a photo [H, W, 3]."""
    if not containers:
        none = np.zeros(0, np.intp)
        return DetectionResult(Boxes.none(), none, Boxes.none(), (), ScaleEstimate(None, ()), 0)
    owners = _owner_map(rgb, containers)
    # What was segmented tells more of the plants' size than the frame around it.
    informative = [i for i, c in enumerate(containers) if not c.whole_frame] or [0]
    sizes = plausible_sizes(tuple(containers[i] for i in informative), hints, rule.look)
    estimate = estimate_scale(rgb, _container_mask(owners, informative), detector, sizes, rule.look)
    if estimate.plant_px is None and len(informative) < len(containers):
        sizes = plausible_sizes(containers, hints, rule.look)
        estimate = estimate_scale(rgb, owners > 0, detector, sizes, rule.look)
    on_progress(0.1)
    first = _scale_for(estimate.plant_px or expected_plant_px(containers, hints), detector, rule)
    search = _Search(rgb, owners, detector, rule)
    boxes, home, tiles = search.at_scale(first, list(range(len(containers))), on_progress)
    scale = [first] * len(containers)
    nearer = min(first * rule.closer, rule.largest_scale)
    group = _unsure_containers(boxes, home, informative, rule)
    if group and nearer >= first * _LEAST_ENLARGEMENT:
        better, better_home, more = search.at_scale(nearer, group, lambda _: None)
        tiles += more
        improved = _surer_containers(boxes, home, better, better_home, group, rule)
        old, new = ~np.isin(home, improved), np.isin(better_home, improved)
        boxes = Boxes.join([boxes.where(old), better.where(new)])
        home = np.concatenate([home[old], better_home[new]])
        for index in improved:
            scale[index] = nearer
    if tiles <= rule.few_tiles:
        boxes, home, more = _look_again(search, boxes, home, scale, rule)
        tiles += more
        rule = replace(rule, threshold=rule.threshold * rule.agreed_share)
    sure = boxes.confidence >= rule.threshold
    faint = boxes.where(~sure & ~boxes.is_empty).in_reading_order()
    boxes, home = boxes.where(sure), home[sure]
    consistent = consistent_boxes(boxes)
    boxes, home = boxes.where(consistent), home[consistent]
    order = np.lexsort((boxes.xyxy_px[:, 0], boxes.xyxy_px[:, 1], home)) if len(boxes) else home
    return DetectionResult(boxes.where(order), home[order], faint, tuple(scale), estimate, tiles)


@dataclass(frozen=True, slots=True)
class _Search:
    """One photo, its map of containers, and what it is searched with."""

    rgb: NDArray[np.uint8]
    owners: NDArray[np.uint16]
    detector: Detector
    rule: DetectRule

    def at_scale(
        self, scale: float, group: list[int], on_progress: OnProgress
    ) -> tuple[Boxes, NDArray[np.intp], int]:
        """Boxes in the containers of ``group`` at a scale, their containers, and the tiles used."""
        content = _container_mask(self.owners, group)
        part, offset = _part_with(self.rgb, content)
        scaled_wh = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        inside = _content_of_part(content, self.rgb, part, offset)
        overlap = min(
            round(self.detector.plant_px * self.rule.overlap_plants), self.detector.tile_px // 2
        )
        tiles = tiles_with_content(cover(scaled_wh, self.detector.tile_px, overlap), inside)
        picture = scale_picture(levels_of(part, scale), scaled_wh)
        cuts = _cuts_with_progress(picture, tiles, on_progress)
        boxes_of_tiles = self.detector(cuts, min(self.rule.faint, self.rule.threshold))
        core_boxes = [_in_core(b, t, picture) for b, t in zip(boxes_of_tiles, tiles, strict=True)]
        # One factor for both sides: rounding the scaled size moves a box by under a pixel.
        boxes = Boxes.join(core_boxes).transform(1 / scale, offset)
        boxes = merge_boxes(boxes.clip((self.rgb.shape[1], self.rgb.shape[0])), self.rule.merge)
        home = _homes(boxes, self.owners, self.rgb)
        keep = np.isin(home, np.array(group))
        return boxes.where(keep), home[keep], len(tiles)


def _look_again(
    search: _Search,
    boxes: Boxes,
    home: NDArray[np.intp],
    scales: list[float],
    rule: DetectRule,
) -> tuple[Boxes, NDArray[np.intp], int]:
    """What this look and others from nearer and farther agree on, and the tiles these took."""
    agreed: list[Boxes] = []
    agreed_homes: list[NDArray[np.intp]] = []
    tiles = 0
    for scale in sorted(set(scales)):
        group = [k for k, s in enumerate(scales) if s == scale]
        is_here = np.isin(home, group)
        looks, homes = [boxes.where(is_here)], [home[is_here]]
        for factor in (rule.farther, rule.nearer):
            other_scale = min(scale * factor, rule.largest_scale)
            seen, seen_homes, more = search.at_scale(other_scale, group, lambda _: None)
            looks.append(seen)
            homes.append(seen_homes)
            tiles += more
        fused = fuse_looks(looks, rule.merge)
        agreed.append(fused)
        agreed_homes.append(nearest_homes(fused, Boxes.join(looks), np.concatenate(homes)))
    return Boxes.join(agreed), np.concatenate(agreed_homes), tiles


def _cuts_with_progress(
    picture: ScaledPicture, tiles: tuple[Tile, ...], on_progress: OnProgress
) -> Iterator[NDArray[np.uint8]]:
    for done, tile in enumerate(tiles):
        on_progress(0.1 + 0.7 * done / len(tiles))
        yield picture.cut(tile)


def _in_core(boxes: Boxes, tile: Tile, picture: ScaledPicture) -> Boxes:
    """The boxes whose centre lies in the tile's core, with a margin for jitter."""
    placed = boxes.transform(1.0, picture.origin(tile))
    x, y = placed.centre_px.T if len(placed) else np.zeros((2, 0))
    margin = 4
    return placed.where(
        (x >= tile.core_x1 - margin)
        & (x < tile.core_x2 + margin)
        & (y >= tile.core_y1 - margin)
        & (y < tile.core_y2 + margin)
    )


def _owner_map(rgb: NDArray[np.uint8], containers: tuple[Container, ...]) -> NDArray[np.uint16]:
    size_wh = (rgb.shape[1], rgb.shape[0])
    scale = min(1.0, _MAP_SIDE_PX / max(size_wh))
    return polygon_map([c.polygon_px for c in containers], size_wh, scale)


def _container_mask(owners: NDArray[np.uint16], group: Sequence[int]) -> NDArray[np.bool_]:
    """Where the owner map shows one of some containers."""
    is_member = np.zeros(max(int(owners.max(initial=0)), *group) + 2, np.bool_)
    is_member[np.array(group) + 1] = True
    if is_member[1:-1].all():
        return owners > 0
    return np.take(is_member, owners)


def _homes(boxes: Boxes, owners: NDArray[np.uint16], rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The container that holds each box's centre, -1 for none."""
    fx, fy = owners.shape[1] / rgb.shape[1], owners.shape[0] / rgb.shape[0]
    x = np.clip((boxes.centre_px[:, 0] * fx).astype(int), 0, owners.shape[1] - 1)
    y = np.clip((boxes.centre_px[:, 1] * fy).astype(int), 0, owners.shape[0] - 1)
    return owners[y, x].astype(np.intp) - 1


def _part_with(
    rgb: NDArray[np.uint8], content: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The part of the photo that holds all content, and where it begins (x, y)."""
    rows, columns = np.flatnonzero(content.any(axis=1)), np.flatnonzero(content.any(axis=0))
    if len(rows) == 0:  # a container too thin for the map: the whole photo is searched
        return rgb, (0, 0)
    fy, fx = rgb.shape[0] / content.shape[0], rgb.shape[1] / content.shape[1]
    y1, y2 = int(rows[0] * fy), math.ceil((rows[-1] + 1) * fy)
    x1, x2 = int(columns[0] * fx), math.ceil((columns[-1] + 1) * fx)
    return rgb[y1:y2, x1:x2], (x1, y1)


def _content_of_part(
    content: NDArray[np.bool_],
    rgb: NDArray[np.uint8],
    part: NDArray[np.uint8],
    offset: tuple[int, int],
) -> NDArray[np.bool_]:
    fy, fx = content.shape[0] / rgb.shape[0], content.shape[1] / rgb.shape[1]
    y1, x1 = int(offset[1] * fy), int(offset[0] * fx)
    y2 = max(y1 + 1, int(np.ceil((offset[1] + part.shape[0]) * fy)))
    x2 = max(x1 + 1, int(np.ceil((offset[0] + part.shape[1]) * fx)))
    return content[y1:y2, x1:x2]


def _scale_for(plant_px: float | None, detector: Detector, rule: DetectRule) -> float:
    """The scale that brings plants to the detector's best size; 1 when nothing is known.

    Rounded to a sixteenth of an octave, so that a hair's difference in the estimate changes
    nothing.
    """
    if not plant_px:
        return 1.0
    scale = min(detector.plant_px / plant_px, rule.largest_scale)
    return float(2 ** (np.round(np.log2(scale) * 16) / 16))


def _unsure_containers(
    boxes: Boxes, home: NDArray[np.intp], among: Sequence[int], rule: DetectRule
) -> list[int]:
    """Containers of ``among`` whose plants are unsure, to be looked at from nearer.

    Moss, pebbles and small dark plants look alike from afar; few photos need that, and a
    second pass over all of them would take twice the time. The ground around containers is
    judged by how sure things there are beside those in containers, at one scale.
    """
    is_plant = ~boxes.is_empty & (boxes.confidence >= rule.threshold)
    plants = [boxes.confidence[is_plant & (home == index)] for index in among]
    return [
        index
        for index, confidence in zip(among, plants, strict=True)
        if len(confidence) >= _FEWEST_TO_COMPARE and np.median(confidence) < rule.unsure
    ]


def _surer_containers(
    boxes: Boxes,
    home: NDArray[np.intp],
    better: Boxes,
    better_home: NDArray[np.intp],
    group: list[int],
    rule: DetectRule,
) -> list[int]:
    """The containers of ``group`` of which the later pass is surer, or as sure.

    Surer: the larger sum of areas, each weighted by its confidence as in the search for the
    scale, so that leaves or pebbles taken for plants do not win by their number.
    """
    return [
        index
        for index in group
        if _weight(better.where(better_home == index), rule)
        >= _weight(boxes.where(home == index), rule)
    ]


def _weight(boxes: Boxes, rule: DetectRule) -> float:
    sure = boxes.where(boxes.confidence >= rule.threshold)
    return float((sure.confidence**SURENESS * sure.size_px**2).sum())
