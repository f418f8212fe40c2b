"""What a surveyed shape is worth: taken as it is, taken with a person's word, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely

from demeter.core.geo.metres import GroundPlane
from demeter.core.geo.reading import Feature
from demeter.core.imports.plans import Doubt
from demeter.core.notices import Notice

OUTSIDE_M = 0.05  # less is the rounding of coordinates
OVERLAP_M2 = 0.05  # less is the rounding of neighbours' common edge
FAR_DEGREES = 1.0  # of a greenhouse from the others of its nursery
MOST_LATITUDE = 90


@dataclass(frozen=True, slots=True)
class SurveyShape:
    """A shape that may be taken, with what a person should know of it; or why it may not."""

    shape: Any | None
    doubts: frozenset[Doubt] = frozenset()
    notices: tuple[Notice, ...] = ()
    refusal: Notice | None = None

    def with_doubt(self, doubt: Doubt, notice: Notice, shape: Any) -> SurveyShape:
        """One thing more that a person decides; ``shape`` is what would be taken then."""
        return replace(
            self, shape=shape, doubts=self.doubts | {doubt}, notices=(*self.notices, notice)
        )


def survey_shape(feature: Feature, *, may_be_point: bool) -> SurveyShape:
    """What a feature's own shape is worth."""
    if feature.is_unreadable:
        return SurveyShape(None, refusal=Notice("shape_unreadable"))
    shape = feature.shape
    if shape is None or shape.is_empty:
        return SurveyShape(None).with_doubt(Doubt.NO_SHAPE, Notice("shape_missing"), None)
    parts = shapely.get_num_geometries(shape)
    if shape.geom_type.startswith("Multi") and parts == 1:
        shape = shapely.get_geometry(shape, 0)
    if shape.geom_type == "MultiPolygon":
        return SurveyShape(None, refusal=Notice("several_parts", {"parts": int(parts)}))
    if shape.geom_type != "Polygon" and not (may_be_point and shape.geom_type == "Point"):
        return SurveyShape(None, refusal=Notice("wrong_shape", {"kind": shape.geom_type}))
    return _straightforward(shape)


def _straightforward(shape: Any) -> SurveyShape:
    survey = SurveyShape(shape)
    taken: Any = shape
    if max(abs(shape.bounds[1]), abs(shape.bounds[3])) > MOST_LATITUDE:
        survey = _swap(survey)
        taken = survey.shape
    if not taken.is_valid:
        survey = _mend(survey)
    return survey


def _swap(survey: SurveyShape) -> SurveyShape:
    swapped = shapely.transform(survey.shape, lambda xy: xy[:, ::-1])
    return survey.with_doubt(Doubt.SWAPPED, Notice("coordinates_swapped"), swapped)


def _mend(survey: SurveyShape) -> SurveyShape:
    """A shape that crosses itself, as its largest part."""
    mended = shapely.make_valid(survey.shape)
    parts = [p for p in shapely.get_parts(mended) if p.geom_type == "Polygon"]
    if not parts:
        return SurveyShape(None, refusal=Notice("shape_unreadable"))
    largest = max(parts, key=lambda part: part.area)
    plane = GroundPlane.around([largest])
    lost = sum(plane.flatten(part).area for part in parts if part is not largest)
    kept = plane.flatten(largest).area
    notice = Notice("self_crossing", {"kept_m2": round(kept, 2), "lost_m2": round(lost, 2)})
    return survey.with_doubt(Doubt.SELF_CROSSING, notice, largest)


def within_parent(survey: SurveyShape, parent: Any | None, parent_code: str) -> SurveyShape:
    """Compare with the place that a shape belongs in: swapped, or how far outside."""
    if survey.shape is None or parent is None or parent.covers(survey.shape):
        return survey
    if not parent.intersects(survey.shape):
        swapped = shapely.transform(survey.shape, lambda xy: xy[:, ::-1])
        if parent.intersects(swapped):
            return within_parent(_swap(survey), parent, parent_code)
    plane = GroundPlane.around([parent])
    outer, inner = plane.flatten(parent), plane.flatten(survey.shape)
    beyond = inner.difference(outer)
    points: Any = shapely.points(shapely.get_coordinates(beyond))
    distance = float(shapely.distance(points, outer).max()) if len(points) else 0.0
    if distance < OUTSIDE_M:
        return survey
    notice = Notice(
        "outside_parent",
        {"parent": parent_code, "metres": round(distance, 2), "m2": round(beyond.area, 2)},
    )
    return survey.with_doubt(Doubt.OUTSIDE, notice, survey.shape)


def among_others(survey: SurveyShape, others: Sequence[Any]) -> SurveyShape:
    """Compare with the other greenhouses: with its coordinates swapped it may lie among them."""
    if survey.shape is None or not others or Doubt.SWAPPED in survey.doubts:
        return survey
    swapped = shapely.transform(survey.shape, lambda xy: xy[:, ::-1])
    is_far = all(other.distance(survey.shape) > FAR_DEGREES for other in others)
    is_near = any(other.distance(swapped) < FAR_DEGREES for other in others)
    return _swap(survey) if is_far and is_near else survey


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two shapes by their places in a list, the lower first, and what both cover."""

    first: int
    second: int
    m2: float


def overlaps_of(shapes: Sequence[Any]) -> list[Overlap]:
    """All pairs of shapes that overlap by more than rounding, largest first."""
    polygons = [(i, s) for i, s in enumerate(shapes) if s is not None and s.geom_type == "Polygon"]
    if not polygons:
        return []
    plane = GroundPlane.around([polygons[0][1]])
    flat = [plane.flatten(shape) for _, shape in polygons]
    left, right = shapely.STRtree(flat).query(flat, predicate="intersects")
    overlaps = []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        if a < b and (m2 := flat[a].intersection(flat[b]).area) > OVERLAP_M2:
            overlaps.append(Overlap(polygons[a][0], polygons[b][0], round(m2, 2)))
    return sorted(overlaps, key=lambda o: (-o.m2, o.first, o.second))
