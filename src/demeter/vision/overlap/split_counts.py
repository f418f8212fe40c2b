"""A photo's count without what another photo of the bed counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely import MultiPoint, Polygon, union_all
from shapely.geometry.base import BaseGeometry

from demeter.vision.estimate.bands import whole_parts
from demeter.vision.overlap.seam import CountShare, Matrices, margins
from demeter.vision.values import (
    Band,
    Box,
    ContainerTally,
    DetectedBox,
    PhotoCount,
    ResidualEstimate,
)

GRID_PX = 400  # longer side of the map of what is counted here

Polygons = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class SplitPhoto:
    """What is left of a photo, and what was taken off: boxes, and the areas beyond the seam."""

    photo: PhotoCount
    elsewhere_xyxy_px: tuple[Box, ...]
    beyond_px: Polygons

    @property
    def is_changed(self) -> bool:
        """Whether another photo counts anything that this one shows."""
        return bool(self.elsewhere_xyxy_px) or bool(self.beyond_px)


def split_at_seam(
    photos: Sequence[PhotoCount], i: int, share: CountShare, matrices: Matrices
) -> SplitPhoto:
    """Give the i-th photo as it counts beside the others.

    Containers that another photo counts whole are gone, and so are those of which nothing
    is left. Estimates keep the share of their residual that lies on this side, and its
    outlines end at the seam. Intervals keep their distances: wide rather than narrow.
    """
    photo = photos[i]
    if not any((i, j) in matrices for j in range(len(photos))):
        return SplitPhoto(photo, (), ())
    own_side = _own_side(photo, photos, i, matrices)
    beyond = _far_side(photo, own_side)
    shares = {e.container: _share(e, photo, own_side, share) for e in photo.estimations}
    estimations = {
        e.container: _estimation(e, shares[e.container], beyond) for e in photo.estimations
    }
    own_boxes = [d for d, mine in zip(photo.detections, share.detections, strict=True) if mine]
    counts = [_tally(c, own_boxes, estimations, shares) for c in photo.counts]
    remaining = [
        before
        for before, now in zip(photo.counts, counts, strict=True)
        if share.containers[before.container] and _remains(before, now)
    ]
    number = {c.container: n for n, c in enumerate(remaining)}
    other_boxes = [
        d for d, mine in zip(photo.detections, share.detections, strict=True) if not mine
    ]
    return SplitPhoto(
        _assemble(photo, number, own_boxes, estimations, counts),
        tuple(d.xyxy_px for d in other_boxes),
        beyond,
    )


def _assemble(
    photo: PhotoCount,
    number: dict[int, int],
    own_boxes: list[DetectedBox],
    estimations: dict[int, ResidualEstimate],
    counts: list[ContainerTally],
) -> PhotoCount:
    tallies = [replace(c, container=number[c.container]) for c in counts if c.container in number]
    now = sum(c.detected + (c.estimated or 0) for c in tallies)
    return replace(
        photo,
        containers=tuple(photo.containers[c] for c in number),
        detections=tuple(
            replace(d, container=number[d.container]) for d in own_boxes if d.container in number
        ),
        estimations=tuple(
            replace(e, container=number[c]) for c, e in sorted(estimations.items()) if c in number
        ),
        counts=tuple(tallies),
        interval_90=_move_interval(photo.interval_90, photo.detected + (photo.estimated or 0), now),
    )


def _remains(before: ContainerTally, now: ContainerTally) -> bool:
    """A container that held something and from which all was taken is another photo's."""
    content = before.detected + before.empty + (before.estimated or 0)
    return not content or bool(now.detected + now.empty + (now.estimated or 0))


def _tally(
    before: ContainerTally,
    own_boxes: list[DetectedBox],
    estimations: dict[int, ResidualEstimate],
    shares: dict[int, float],
) -> ContainerTally:
    boxes = [d for d in own_boxes if d.container == before.container]
    detected = sum(not d.is_empty_container for d in boxes)
    estimation = estimations.get(before.container)
    estimated = before.estimated if estimation is None else estimation.estimated
    plants_before, plants = before.detected + (before.estimated or 0), detected + (estimated or 0)
    return replace(
        before,
        detected=detected,
        empty=len(boxes) - detected,
        estimated=estimated,
        residual_share=round(before.residual_share * shares.get(before.container, 1.0), 4),
        interval_90=_move_interval(before.interval_90, plants_before, plants),
    )


def _move_interval(
    interval: tuple[int, int] | None, count: int, now: int
) -> tuple[int, int] | None:
    if interval is None:
        return None
    return max(0, now - (count - interval[0])), now + interval[1] - count


def _estimation(
    estimation: ResidualEstimate, share: float, beyond_px: Polygons
) -> ResidualEstimate:
    """The part of an estimate on this side; an unknown one stays unknown unless none is left."""
    if share >= 1.0:
        return estimation
    share = max(0.0, share)
    bands = _bands(estimation.bands, share)
    area_cm2 = estimation.residual_area_cm2
    outlines = _cut(estimation.residual_polygons_px, beyond_px)
    scaled = replace(
        estimation,
        polygon_px=_hull(
            outlines
            if estimation.residual_polygons_px
            else _cut((estimation.polygon_px,), beyond_px)
        ),
        residual_polygons_px=outlines,
        residual_area_px=round(estimation.residual_area_px * share),
        residual_area_cm2=None if area_cm2 is None else round(area_cm2 * share, 1),
        bands=bands,
    )
    if estimation.estimated is None:
        return replace(scaled, estimated=0, unknown_reason=None) if not share else scaled
    return replace(
        scaled,
        estimated=sum(b.estimated for b in bands) if bands else round(estimation.estimated * share),
        parameters=estimation.parameters | {"share_this_side": round(share, 4)},
    )


def _cut(outlines_px: Polygons, beyond_px: Polygons) -> Polygons:
    """Outlines without what lies beyond the seam; what is left of one may be several."""
    beyond = union_all([_shape(p) for p in beyond_px])
    left = [part for p in outlines_px for part in _parts(_shape(p).difference(beyond))]
    return tuple(p for part in left if len(p := _corners(part)) > 2)  # noqa: PLR2004


def _shape(outline_px: tuple[tuple[int, int], ...]) -> BaseGeometry:
    """A valid shape, empty for what has no area."""
    return Polygon(outline_px).buffer(0) if len(outline_px) > 2 else Polygon()  # noqa: PLR2004


def _parts(shape: BaseGeometry) -> list[Polygon]:
    return [g for g in getattr(shape, "geoms", (shape,)) if isinstance(g, Polygon) and g.area]


def _corners(shape: Polygon) -> tuple[tuple[int, int], ...]:
    """Corners in whole pixels, each once."""
    return tuple(dict.fromkeys((round(x), round(y)) for x, y in shape.exterior.coords))


def _hull(outlines_px: Polygons) -> tuple[tuple[int, int], ...]:
    hull = MultiPoint([corner for p in outlines_px for corner in p]).convex_hull
    return _corners(hull) if isinstance(hull, Polygon) else ()


def _bands(bands: tuple[Band, ...], share: float) -> tuple[Band, ...]:
    """Strips with a share of their areas and plants, whole ones that sum to the rounded sum."""
    areas = whole_parts([b.residual_area_px * share for b in bands])
    plants = whole_parts([b.estimated * share for b in bands])
    return tuple(
        replace(band, residual_area_px=area, estimated=number)
        for band, area, number in zip(bands, areas, plants, strict=True)
    )


def _share(
    estimation: ResidualEstimate, photo: PhotoCount, own_side: NDArray[np.bool_], own: CountShare
) -> float:
    """Of an estimate's residual, the part that is counted here, 0 to 1."""
    if own.undivided[estimation.container]:
        return float(own.containers[estimation.container])
    outlines = estimation.residual_polygons_px or (
        photo.containers[estimation.container].polygon_px,
    )
    mask = np.zeros(own_side.shape, np.uint8)
    scale = own_side.shape[1] / photo.width_px
    corners = [np.rint(np.array(p, np.float64) * scale).astype(np.int32) for p in outlines]
    cv2.fillPoly(mask, corners, (1,))
    area = int(mask.sum())
    return float((mask.astype(np.bool_) & own_side).sum()) / area if area else 1.0


def _own_side(
    photo: PhotoCount, photos: Sequence[PhotoCount], i: int, matrices: Matrices
) -> NDArray[np.bool_]:
    """A coarse map [h, w] of the photo: true where it counts what stands there."""
    scale = min(1.0, GRID_PX / max(photo.width_px, photo.height_px))
    h, w = max(1, round(photo.height_px * scale)), max(1, round(photo.width_px * scale))
    y, x = np.mgrid[0:h, 0:w]
    at = (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * (photo.width_px / w)
    own, other = margins(at, photos, i, matrices)
    return ((other < 0) | (own >= other)).reshape(h, w)


def _far_side(photo: PhotoCount, own_side: NDArray[np.bool_]) -> Polygons:
    """Outlines, in the photo's pixels, of what is counted elsewhere."""
    beyond = (~own_side).astype(np.uint8)
    outlines, _ = cv2.findContours(beyond, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = photo.width_px / own_side.shape[1]
    polygons = []
    for outline in outlines:
        simple = cv2.approxPolyDP(outline, 1.5, closed=True).reshape(-1, 2)
        if len(simple) >= 3:  # noqa: PLR2004 - a polygon
            corners = ((round(float(x) * scale), round(float(y) * scale)) for x, y in simple)
            polygons.append(tuple(corners))
    return tuple(sorted(polygons))
