"""An estimate divided among containers that were drawn anew, by where its residual lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shapely import MultiPoint, Polygon, union_all
from shapely.geometry.base import BaseGeometry

from demeter.vision.containers.territories import (
    FEWEST_CORNERS,
    Territories,
    corners_of,
    parts_of,
    shape_of,
)
from demeter.vision.estimate.bands import whole_parts
from demeter.vision.geometry import Polygon as Corners
from demeter.vision.values import Band, EstimationMethod, PhotoCount, ResidualEstimate

LEAST_SHARE = 0.02  # of a residual: less is how roughly outlines are drawn


@dataclass(frozen=True, slots=True)
class EstimateShare:
    """What a container has of one estimate: its share of the residual, 0 to 1, and its plants."""

    of: ResidualEstimate
    share: float
    estimated: int | None


def divide_estimates(
    machine: PhotoCount, territories: Territories, kept: Mapping[int, int]
) -> tuple[list[list[EstimateShare]], int]:
    """Each outline's shares of the estimates, and the plants estimated outside of all.

    ``kept`` are outlines that are the machine's own, by its index: they keep its estimate.
    """
    parts: list[list[EstimateShare]] = [[] for _ in territories.shapes]
    homes = {k: i for i, k in kept.items()}
    outside = 0
    for estimation in machine.estimations:
        home = homes.get(estimation.container)
        if home is not None:
            parts[home].append(EstimateShare(estimation, 1.0, estimation.estimated))
            continue
        shares = _shares(estimation, machine, territories, set(kept))
        beyond = max(0.0, 1.0 - sum(shares.values()))
        plants: Sequence[int | None] = [None] * len(shares)
        if estimation.estimated is not None:
            *plants, left = whole_parts(
                [estimation.estimated * s for s in (*shares.values(), beyond)]
            )
            outside += left or 0
        for (i, share), own in zip(shares.items(), plants, strict=True):
            parts[i].append(EstimateShare(estimation, share, own))
    return parts, outside


def _shares(
    estimation: ResidualEstimate, machine: PhotoCount, territories: Territories, kept: set[int]
) -> dict[int, float]:
    """Shares of an estimate's residual by outline; what lies outside of all is not among them."""
    residual = _residual(estimation, machine)
    if not residual.area:
        return {}
    shares = {
        i: residual.intersection(ground).area / residual.area
        for i, ground in enumerate(territories.grounds)
        if i not in kept and ground.intersects(residual)
    }
    shares = {i: share for i, share in shares.items() if share >= LEAST_SHARE}
    total = sum(shares.values())
    if total < 1.0 - LEAST_SHARE:
        return shares
    return {i: share / total for i, share in shares.items()}


def _residual(estimation: ResidualEstimate, machine: PhotoCount) -> BaseGeometry:
    """Where the estimate's plants stand: its parts, else its hull, else the whole container."""
    shape = union_all([shape_of(p) for p in estimation.residual_polygons_px])
    if not shape.area:
        shape = shape_of(estimation.polygon_px)
    return shape if shape.area else shape_of(machine.containers[estimation.container].polygon_px)


def join_shares(
    i: int, parts: Sequence[EstimateShare], ground: BaseGeometry, *, is_kept: bool
) -> ResidualEstimate:
    """One estimate of the i-th container from its shares of the machine's."""
    if not parts:
        return _nothing_estimated(i)
    if is_kept and len(parts) == 1:
        return replace(parts[0].of, container=i)
    first = max(parts, key=lambda part: part.share * part.of.residual_area_px).of
    outlines = tuple(
        corners
        for part in parts
        for outline in part.of.residual_polygons_px
        for piece in parts_of(shape_of(outline).intersection(ground))
        if len(corners := corners_of(piece)) >= FEWEST_CORNERS
    )
    unknown = next((p.of.unknown_reason for p in parts if p.estimated is None), None)
    numbers = [p.estimated for p in parts]
    areas_cm2 = [
        None if p.of.residual_area_cm2 is None else p.of.residual_area_cm2 * p.share for p in parts
    ]
    return ResidualEstimate(
        container=i,
        method=first.method,
        estimated=None if None in numbers else sum(n or 0 for n in numbers),
        unknown_reason=unknown,
        confidence=min(p.of.confidence for p in parts),
        polygon_px=_hull(outlines or tuple(p.of.polygon_px for p in parts), ground),
        residual_area_px=round(sum(p.of.residual_area_px * p.share for p in parts)),
        residual_area_cm2=None if None in areas_cm2 else round(sum(a or 0.0 for a in areas_cm2), 1),
        bands=_bands(parts),
        parameters=first.parameters | {"shares": [round(p.share, 4) for p in parts]},
        residual_polygons_px=outlines,
    )


def _nothing_estimated(i: int) -> ResidualEstimate:
    return ResidualEstimate(
        container=i,
        method=EstimationMethod.BANDS,
        estimated=0,
        unknown_reason=None,
        confidence=1.0,
        polygon_px=(),
        residual_area_px=0,
        residual_area_cm2=None,
        bands=(),
    )


def _bands(parts: Sequence[EstimateShare]) -> tuple[Band, ...]:
    """Strips of the parts, from the top, with their shares of areas and plants."""
    bands: list[Band] = []
    for part in parts:
        areas = whole_parts([b.residual_area_px * part.share for b in part.of.bands])
        plants = _strip_plants(part)
        bands += [
            replace(band, residual_area_px=area, estimated=number)
            for band, area, number in zip(part.of.bands, areas, plants, strict=True)
        ]
    return tuple(sorted(bands, key=lambda band: (band.top_px, band.bottom_px)))


def _strip_plants(part: EstimateShare) -> list[int]:
    """A part's plants by strip: whole numbers whose sum is the part's."""
    whole = sum(b.estimated for b in part.of.bands)
    if not whole:
        return [0 for _ in part.of.bands]
    number = part.estimated or 0
    return whole_parts([b.estimated * number / whole for b in part.of.bands])


def _hull(outlines_px: Sequence[Corners], ground: BaseGeometry) -> Corners:
    """The convex hull of outlines, as far as it lies on the ground's own hull."""
    corners = [corner for outline in outlines_px for corner in outline]
    hull = MultiPoint(corners).convex_hull.intersection(ground.convex_hull) if corners else None
    return corners_of(hull) if isinstance(hull, Polygon) and hull.area else ()
