"""Step 2: plants and empty containers, tile by tile, each in the container it stands in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import filled
from demeter.vision.hints import Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import Detector
from demeter.vision.plants.nms import MergeRule, merged, uncontradicted
from demeter.vision.plants.scale_search import (
    SURENESS,
    Look,
    LookRule,
    expected_plant_px,
    plausible_sizes,
    quick_look,
)
from demeter.vision.plants.tiled_resize import Scaled, levels_of, scaled
from demeter.vision.plants.tiles import Tile, cover, with_content
from demeter.vision.values import Container

Progress = Callable[[float], None]
_MAP_SIDE_PX = 1600
_FEWEST_TO_COMPARE = 5
_WORTH_A_LOOK = 1.25  # how much larger a closer look must show plants


@dataclass(frozen=True, slots=True)
class DetectRule:
    """How detection works.

    ``threshold``: confidence from which a box is a plant or an empty container; one below
    it, but not below ``faint``, says no more than that foliage there may be plants.
    ``overlap_plants``: overlap of tiles in sizes of a plant. ``rescale_beyond``: a
    container whose plants turn out larger or smaller than the detector's best by more than
    this factor is looked at again at its own scale. ``unsure``: median confidence of a
    container's plants below which it is looked at again ``closer`` times as large.
    ``largest_scale``: how far a photo is enlarged at most. ``odd_size``: a plant wider or
    narrower than its container's median by more than this factor must be sure by
    ``odd_threshold``; of 96 such boxes on 120 rendered photos 2 were plants, the others
    pebbles, cells and labels.
    """

    threshold: float = 0.35
    faint: float = 0.1
    overlap_plants: float = 1.8
    rescale_beyond: float = 1.5
    unsure: float = 0.86
    closer: float = 1.5
    largest_scale: float = 4.0
    odd_size: float = 2.0
    odd_threshold: float = 0.7
    merge: MergeRule = field(default_factory=MergeRule)
    look: LookRule = field(default_factory=LookRule)


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes in photo pixels and the container of each; what scale each container had.

    ``faint``: where plants may be that the detector was not sure of.
    """

    boxes: Boxes
    container: NDArray[np.intp]
    faint: Boxes
    scale: tuple[float, ...]
    look: Look
    tiles: int

    def keeping(self, kept: Sequence[int]) -> Found:
        """The same with these containers only, numbered anew in this order."""
        number = np.full(len(self.scale) + 1, -1, np.intp)  # the last stands for none
        number[list(kept)] = np.arange(len(kept))
        home = number[self.container]
        inside = home >= 0
        return replace(
            self,
            boxes=self.boxes.where(inside),
            container=home[inside],
            scale=tuple(self.scale[k] for k in kept),
        )


def detected(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    detector: Detector,
    hints: Hints,
    *,
    rule: DetectRule,
    on_progress: Progress,
) -> Found:
    """Everything the detector sees in the containers of a photo [H, W, 3]."""
    if not containers:
        none = np.zeros(0, np.intp)
        return Found(Boxes.none(), none, Boxes.none(), (), Look(None, ()), 0)
    owners = _owner_map(rgb, containers)
    # What was segmented tells more of the plants' size than the frame around it.
    telling = [i for i, c in enumerate(containers) if not c.whole_frame] or [0]
    sizes = plausible_sizes(tuple(containers[i] for i in telling), hints, rule.look)
    look = quick_look(rgb, _held_by(owners, telling), detector, sizes, rule.look)
    if look.plant_px is None and len(telling) < len(containers):
        sizes = plausible_sizes(containers, hints, rule.look)
        look = quick_look(rgb, owners > 0, detector, sizes, rule.look)
    on_progress(0.1)
    first = _scale_for(look.plant_px or expected_plant_px(containers, hints), detector, rule)
    job = _Job(rgb, owners, detector, rule)
    boxes, home, tiles = job.at_scale(first, list(range(len(containers))), on_progress)
    scale = [first] * len(containers)
    rescaled = partial(_to_rescale, detector=detector)
    for to_look_at in (rescaled, partial(_to_look_closer, among=telling)):
        for again, group in to_look_at(boxes, home, scale, rule=rule).items():
            better, better_home, more = job.at_scale(again, group, lambda _: None)
            tiles += more
            taken = _surer(boxes, home, better, better_home, group, rule)
            stay, come = ~np.isin(home, taken), np.isin(better_home, taken)
            boxes = Boxes.joined([boxes.where(stay), better.where(come)])
            home = np.concatenate([home[stay], better_home[come]])
            for index in taken:
                scale[index] = again
    sure = (boxes.confidence >= rule.threshold) & ~_odd(boxes, home, rule)
    faint = boxes.where(~sure & ~boxes.is_empty).in_reading_order()
    boxes, home = boxes.where(sure), home[sure]
    stays = uncontradicted(boxes)
    boxes, home = boxes.where(stays), home[stays]
    order = np.lexsort((boxes.xyxy_px[:, 0], boxes.xyxy_px[:, 1], home)) if len(boxes) else home
    return Found(boxes.where(order), home[order], faint, tuple(scale), look, tiles)


@dataclass(frozen=True, slots=True)
class _Job:
    rgb: NDArray[np.uint8]
    owners: NDArray[np.uint16]
    detector: Detector
    rule: DetectRule

    def at_scale(
        self, scale: float, group: list[int], on_progress: Progress
    ) -> tuple[Boxes, NDArray[np.intp], int]:
        """Boxes in the containers of ``group``, looked for at ``scale``; their containers."""
        content = _held_by(self.owners, group)
        part, offset = _part_with(self.rgb, content)
        scaled_wh = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        inside = _content_of_part(content, self.rgb, part, offset)
        overlap = min(
            round(self.detector.plant_px * self.rule.overlap_plants), self.detector.tile_px // 2
        )
        tiles = with_content(cover(scaled_wh, self.detector.tile_px, overlap), inside)
        picture = scaled(levels_of(part, scale), scaled_wh)
        cuts = _reported(picture, tiles, on_progress)
        found = self.detector(cuts, min(self.rule.faint, self.rule.threshold))
        owned = [_owned(b, t, picture) for b, t in zip(found, tiles, strict=True)]
        # One factor for both sides: rounding the scaled size moves a box by under a pixel.
        boxes = Boxes.joined(owned).mapped(1 / scale, offset)
        boxes = merged(boxes.clipped((self.rgb.shape[1], self.rgb.shape[0])), self.rule.merge)
        home = _homes(boxes, self.owners, self.rgb)
        keep = np.isin(home, np.array(group))
        return boxes.where(keep), home[keep], len(tiles)


def _reported(
    picture: Scaled, tiles: tuple[Tile, ...], on_progress: Progress
) -> Iterator[NDArray[np.uint8]]:
    for done, tile in enumerate(tiles):
        on_progress(0.1 + 0.7 * done / len(tiles))
        yield picture.cut(tile)


def _owned(boxes: Boxes, tile: Tile, picture: Scaled) -> Boxes:
    """The boxes whose centre lies in the tile's core, with a margin for jitter."""
    placed = boxes.mapped(1.0, picture.origin(tile))
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
    return filled([c.polygon_px for c in containers], size_wh, scale)


def _held_by(owners: NDArray[np.uint16], group: Sequence[int]) -> NDArray[np.bool_]:
    """Where the owner map shows one of some containers."""
    wanted = np.zeros(max(int(owners.max(initial=0)), *group) + 2, np.bool_)
    wanted[np.array(group) + 1] = True
    if wanted[1:-1].all():
        return owners > 0
    return np.take(wanted, owners)


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
    if len(rows) == 0:  # a container too thin for the map: look at the whole photo
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

    Rounded to a sixteenth of an octave, so that a hair's difference in the look changes
    nothing.
    """
    if not plant_px:
        return 1.0
    scale = min(detector.plant_px / plant_px, rule.largest_scale)
    return float(2 ** (np.round(np.log2(scale) * 16) / 16))


def _odd(boxes: Boxes, home: NDArray[np.intp], rule: DetectRule) -> NDArray[np.bool_]:
    """Plants of a size unlike the others in their container, and not sure enough for that."""
    odd = np.zeros(len(boxes), np.bool_)
    likely = ~boxes.is_empty & (boxes.confidence >= rule.threshold)
    for index in np.unique(home[likely]):
        here = likely & (home == index)
        if here.sum() < _FEWEST_TO_COMPARE:
            continue
        ratio = boxes.size_px[here] / np.median(boxes.size_px[here])
        far = np.maximum(ratio, 1 / np.maximum(ratio, 1e-6)) > rule.odd_size
        odd[here] = far & (boxes.confidence[here] < rule.odd_threshold)
    return odd


def _to_rescale(
    boxes: Boxes,
    home: NDArray[np.intp],
    scales: list[float],
    *,
    detector: Detector,
    rule: DetectRule,
) -> dict[float, list[int]]:
    """Containers to look at again, by their new scale."""
    groups: dict[float, list[int]] = {}
    for index, scale in enumerate(scales):
        sure = boxes.confidence >= rule.threshold
        sizes = boxes.size_px[(home == index) & ~boxes.is_empty & sure]
        if len(sizes) < _FEWEST_TO_COMPARE:
            continue
        median = float(np.median(sizes))
        off = median * scale / detector.plant_px
        again = _scale_for(median, detector, rule)
        if max(off, 1 / off) > rule.rescale_beyond and again != scale:
            # Half-octave steps, so that similar containers share one pass.
            stepped = float(2 ** (np.round(np.log2(again) * 2) / 2))
            groups.setdefault(stepped, []).append(index)
    return dict(sorted(groups.items()))


def _to_look_closer(
    boxes: Boxes,
    home: NDArray[np.intp],
    scales: list[float],
    *,
    among: Sequence[int],
    rule: DetectRule,
) -> dict[float, list[int]]:
    """Containers of ``among`` whose plants are unsure, by the scale at which they are larger.

    Moss, pebbles and small dark plants look alike from afar; few photos need that, and a
    closer look at all of them would take twice the time. The ground around containers is
    judged by how sure things there look beside those in containers, at one scale.
    """
    groups: dict[float, list[int]] = {}
    for index in among:
        scale = scales[index]
        plants = (home == index) & ~boxes.is_empty & (boxes.confidence >= rule.threshold)
        again = min(scale * rule.closer, rule.largest_scale)
        if plants.sum() < _FEWEST_TO_COMPARE or again < scale * _WORTH_A_LOOK:
            continue
        if np.median(boxes.confidence[plants]) < rule.unsure:
            groups.setdefault(again, []).append(index)
    return dict(sorted(groups.items()))


def _surer(
    boxes: Boxes,
    home: NDArray[np.intp],
    better: Boxes,
    better_home: NDArray[np.intp],
    group: list[int],
    rule: DetectRule,
) -> list[int]:
    """The containers of ``group`` of which the later pass is surer, or as sure.

    Surer: the larger sum of areas, each by how sure it is as in the quick look, so that
    leaves or pebbles taken for plants do not win by their number.
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
