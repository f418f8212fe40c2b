"""What detections leave unexplained in a container: foliage that no detected plant covers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.estimate.foliage import green_pixels, likeness_cut, likeness_scores
from demeter.vision.geometry import Polygon, polygon_map, resize
from demeter.vision.plants.boxes import Boxes
from demeter.vision.values import Container

_WORK_PLANT_PX = 16
_WORK_SIDE_PX = 1200
# Of a plant's ellipse: its core and what it covers; of its size: how far beyond its soil is.
_CORE, _OWN, _AROUND = 0.75, 1.15, 0.28


@dataclass(frozen=True, slots=True)
class Residual:
    """Masks [h, w] of a container's crop, ``scale`` times as large as the photo.

    ``residual``: unexplained foliage; ``unseen``: what has its colours and a plant's size, but
    where detection saw not even a faint plant; ``own_fill``: the part of a detected plant's
    inscribed ellipse that is foliage (median), 1 without detections; ``likeness``: mean score
    of the residual's pixels, 0 without any.
    """

    residual: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    scale: float
    offset_xy: tuple[int, int]
    own_fill: float
    likeness: float
    cut: float

    @property
    def area_px(self) -> int:
        """Unexplained foliage in square pixels of the photo."""
        return round(float(self.residual.sum()) / self.scale**2)


def residual_of(
    rgb: NDArray[np.uint8],
    container: Container,
    boxes: Boxes,
    plant_px: float | None,
    faint: Boxes,
    within: tuple[Polygon, ...] = (),
) -> Residual:
    """The residual of a container given what was detected in it (empties included).

    Moss, gravel and walls have a plant's colours, too. So where the photo shows that
    detection knows its plants (``plant_px``), only foliage counts where it saw at least a
    ``faint`` plant.

    ``within`` are containers that stand in this one and are counted by themselves.
    ``plant_px`` is a typical plant's size in the photo; parts smaller than a third of a
    plant, or thinner than a third of its width, are no plants. Without it, foliage is
    judged by its colour alone.
    """
    crop, offset, scale, inside = _crop(rgb, (container.polygon_px, *within), plant_px)
    local = boxes.transform(scale, (-offset[0] * scale, -offset[1] * scale))
    plants = local.where(~local.is_empty)
    covered = _ellipses(inside.shape, local, _OWN)
    if len(plants) == 0 or plant_px is None:
        foliage, likeness, cut = green_pixels(crop, inside), inside.astype(np.float32), 0.0
    else:
        likeness, cut = _likeness(crop, inside, plants, covered)
        foliage = inside & (likeness > cut)
    size = None if plant_px is None else plant_px * scale
    whole = loose = _plant_sized(foliage & ~covered, size)
    if plant_px is not None:
        faint_local = faint.transform(scale, (-offset[0] * scale, -offset[1] * scale))
        loose = _plant_sized(whole & _ellipses(inside.shape, faint_local, _OWN), size)
    return Residual(
        residual=loose,
        unseen=whole & ~loose,
        inside=inside,
        scale=scale,
        offset_xy=offset,
        own_fill=_foliage_share(foliage, plants),
        likeness=float(likeness[loose].mean()) if loose.any() else 0.0,
        cut=round(cut, 4),
    )


def outlines_px(residual: Residual) -> tuple[Polygon, ...]:
    """Outlines of the residual's parts in pixels of the photo, in reading order."""
    tolerance = 1.5 / residual.scale
    simple = (cv2.approxPolyDP(p, tolerance, closed=True) for p in _contours_px(residual))
    whole = (_polygon(s) for s in simple if len(s) > 2)  # noqa: PLR2004 - a line has no area
    return tuple(sorted(whole, key=lambda p: (min(y for _, y in p), min(x for x, _ in p), p)))


def hull_px(residual: Residual) -> Polygon:
    """Convex hull of the residual in pixels of the photo, empty where there is none."""
    parts = _contours_px(residual)
    return _polygon(cv2.convexHull(np.concatenate(parts))) if parts else ()


def _contours_px(residual: Residual) -> list[NDArray[np.float32]]:
    contours, _ = cv2.findContours(
        residual.residual.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    shift = np.array(residual.offset_xy)
    return [((c + 0.5) / residual.scale + shift).astype(np.float32) for c in contours]


def _polygon(corners: cv2.typing.MatLike) -> Polygon:
    return tuple((int(x), int(y)) for x, y in np.rint(np.asarray(corners).reshape(-1, 2)))


def _crop(
    rgb: NDArray[np.uint8], polygons: tuple[Polygon, ...], plant_px: float | None
) -> tuple[NDArray[np.uint8], tuple[int, int], float, NDArray[np.bool_]]:
    """The first polygon's part of the photo at working size; its mask without the others."""
    xs, ys = zip(*polygons[0], strict=True)
    x1, y1, x2, y2 = min(xs), min(ys), max(*xs, min(xs) + 1), max(*ys, min(ys) + 1)
    part = rgb[y1:y2, x1:x2]
    scale = min(1.0, _WORK_SIDE_PX / max(part.shape[:2]))
    if plant_px:
        scale = min(scale, max(_WORK_PLANT_PX / plant_px, 64 / max(part.shape[:2])))
    work_wh = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    moved = [tuple((x - x1, y - y1) for x, y in p) for p in polygons]
    mask = polygon_map(moved, (part.shape[1], part.shape[0]), scale) == 1
    crop = resize(part, work_wh)
    return crop, (x1, y1), scale, mask[: crop.shape[0], : crop.shape[1]]


def _likeness(
    crop: NDArray[np.uint8],
    inside: NDArray[np.bool_],
    plants: Boxes,
    covered: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], float]:
    core = _ellipses(inside.shape, plants, _CORE) & inside
    uncovered = inside & ~covered
    if not core.any() or not uncovered.any():
        return inside.astype(np.float32), 0.5
    reach = max(1, round(_AROUND * float(np.median(plants.size_px))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    around = uncovered & cv2.dilate(covered.view(np.uint8), kernel).view(np.bool_)
    score = likeness_scores(crop, core, uncovered, around)
    return score, likeness_cut(score[inside])


def _ellipses(shape: tuple[int, ...], boxes: Boxes, grown: float) -> NDArray[np.bool_]:
    """Where boxes' inscribed ellipses, ``grown`` times as large, lie."""
    canvas = np.zeros(shape[:2], np.uint8)
    width_height = boxes.xyxy_px[:, 2:] - boxes.xyxy_px[:, :2]
    # In sixteenths of a pixel, as OpenCV's shift of 4 wants it; no axis below half a pixel.
    axes = np.maximum(8, np.rint(width_height * grown * 8)).astype(int).tolist()
    centres = np.rint((boxes.centre_px - 0.5) * 16).astype(int).tolist()
    for centre, axis in zip(centres, axes, strict=True):
        cv2.ellipse(canvas, centre, axis, 0, 0, 360, (1,), cv2.FILLED, cv2.LINE_8, 4)
    return canvas.astype(np.bool_)


def _plant_sized(mask: NDArray[np.bool_], plant_px: float | None) -> NDArray[np.bool_]:
    """Parts wide and large enough to hold a plant; crumbs, slivers and rims go."""
    if not mask.any():
        return mask
    plant = plant_px or 6.0
    radius = max(1, round(plant / 6))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    least = np.pi / 4 * plant**2 / 3
    large = np.array([i > 0 and stats[i, cv2.CC_STAT_AREA] >= least for i in range(count)])
    return np.take(large, np.asarray(labels, np.intp))


def _foliage_share(foliage: NDArray[np.bool_], plants: Boxes) -> float:
    """Median share of foliage in plants' inscribed ellipses, from an integral picture."""
    if len(plants) == 0:
        return 1.0
    total = cv2.integral(foliage.astype(np.uint8))
    height, width = foliage.shape
    x1, y1, x2, y2 = np.rint(plants.xyxy_px).astype(int).T
    x1, x2 = np.clip(x1, 0, width), np.clip(x2, 0, width)
    y1, y2 = np.clip(y1, 0, height), np.clip(y2, 0, height)
    inside = total[y2, x2] - total[y1, x2] - total[y2, x1] + total[y1, x1]
    ellipse = np.maximum(np.pi / 4 * (x2 - x1) * (y2 - y1), 1)
    return float(np.clip(np.median(inside / ellipse), 0.2, 1.0))
