"""What a survey would do to the places, from greenhouse to bed, beside what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import shapely
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.core.geo.reading import WGS84, Feature, Layer
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.plans import LEAVE, TAKE, Choices, Doubt, PlannedRow, RowVerdict
from demeter.core.notices import Notice
from demeter.locations import place_codes
from demeter.locations.models import StorageArea, StorageLocation, Warehouse
from demeter.locations.survey_columns import PlaceLevel
from demeter.locations.survey_shapes import (
    SurveyShape,
    among_others,
    overlaps_of,
    survey_shape,
    within_parent,
)

TABLES = {
    PlaceLevel.WAREHOUSE: Warehouse,
    PlaceLevel.AREA: StorageArea,
    PlaceLevel.LOCATION: StorageLocation,
}
CODE = r"^[A-Z0-9_-]{1,50}$"
ROW_STEP = 1000  # of the walking order: more beds than any row has
SAME_DEGREES = 1e-9


@dataclass(slots=True)
class SurveyPlace:
    """A place of the survey or of the database; ``stored`` is its row, where there is one."""

    level: PlaceLevel
    code: str
    name: str
    shape: Any | None
    parent: SurveyPlace | None = None
    stored: Any | None = None
    is_usable: bool = True


@dataclass(slots=True)
class PlaceDraft:
    """A feature on its way to a planned row."""

    ref: str
    layer: Layer
    feature: Feature
    level: PlaceLevel | None
    name: str = ""
    place: SurveyPlace | None = None
    survey: SurveyShape = field(default_factory=lambda: SurveyShape(None))
    walk_order: int | None = None
    refusal: Notice | None = None
    values: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> RowVerdict:
        """What it is to what is stored."""
        if self.refusal is not None or self.place is None:
            return RowVerdict.REFUSED
        if self.place.stored is None:
            return RowVerdict.NEW
        return RowVerdict.CHANGED if self.values else RowVerdict.SAME

    def plan_row(self, choices: Choices) -> PlannedRow:
        """The row with what a person decided about it."""
        changes = self.verdict in (RowVerdict.NEW, RowVerdict.CHANGED)
        doubts = self.survey.doubts if changes else frozenset()
        options = (TAKE, LEAVE) if changes else ()
        chosen = choices.of(self.ref, doubts, options)
        return PlannedRow(
            ref=self.ref,
            source=self.layer.name,
            row=self.feature.row,
            subject=TABLES[self.level].__tablename__ if self.level else "",
            code=self.place.code if self.place else None,
            name=self.name,
            verdict=self.verdict,
            notices=(self.refusal,) if self.refusal else self.survey.notices if changes else (),
            doubts=doubts,
            # Whoever looks through the rows may leave any of them; only doubts ask for a word.
            options=options if doubts or chosen == LEAVE else (),
            chosen=chosen,
            values=self.values,
            before=self.before,
        )


class SurveyPlan:
    """The places of a survey beside those of the database."""

    def __init__(self, session: Session, choices: Choices) -> None:
        self._choices = choices
        self._places: dict[PlaceLevel, list[SurveyPlace]] = _stored_places(session)
        self.drafts: list[PlaceDraft] = []
        self._drafted: dict[int, PlaceDraft] = {}

    def add_layer(self, layer: Layer, mapping: SourceMapping | None) -> None:
        """Each feature of a layer becomes a draft, refused ones too."""
        level = PlaceLevel(mapping.level) if mapping is not None and mapping.level else None
        for feature in layer.features:
            draft = PlaceDraft(f"{layer.name}:{feature.row}", layer, feature, level)
            self.drafts.append(draft)
            if level is None or mapping is None:
                draft.refusal = Notice("layer_unknown", {"layer": layer.name})
            else:
                self._settle_place(draft, level, mapping)

    def rows(self) -> Iterator[PlannedRow]:
        """All drafts as rows, in the order of the files."""
        return (draft.plan_row(self._choices) for draft in self.drafts)

    def _settle_place(self, draft: PlaceDraft, level: PlaceLevel, mapping: SourceMapping) -> None:
        """Name, code, parent and shape of a draft, or why it is refused."""
        values = {f: draft.feature.values.get(c) for f, c in mapping.columns.items()}
        draft.name = str(values.get("name") or "").strip()
        draft.survey = survey_shape(draft.feature, may_be_point=level is PlaceLevel.LOCATION)
        draft.refusal = draft.survey.refusal
        if not place_codes.plain_name(draft.name):
            draft.refusal = Notice("name_missing")
        if draft.refusal is not None:
            return
        parent = None
        if level is not PlaceLevel.WAREHOUSE:
            parent, draft.refusal = self._parent(level, values, draft)
            if parent is None:
                return
        draft.walk_order = _walk_order(values, draft) if level is PlaceLevel.LOCATION else None
        self._compare(draft, level, parent)

    def _parent(
        self, level: PlaceLevel, values: dict[str, Any], draft: PlaceDraft
    ) -> tuple[SurveyPlace | None, Notice | None]:
        """The place that a draft belongs in: by its name, else the one that holds most of it."""
        above = PlaceLevel.WAREHOUSE if level is PlaceLevel.AREA else PlaceLevel.AREA
        candidates = self._places[above]
        named = values.get("warehouse" if level is PlaceLevel.AREA else "area")
        if level is PlaceLevel.LOCATION and values.get("warehouse"):
            within = str(values["warehouse"])
            candidates = [c for c in candidates if c.parent and _is_called(c.parent, within)]
            if not candidates:
                return None, Notice("parent_unknown", {"name": within})
        if named:
            candidates = [c for c in candidates if _is_called(c, str(named))]
            if len(candidates) != 1:
                many = Notice("parent_of_several", {"name": str(named)})
                return None, many if candidates else Notice("parent_unknown", {"name": str(named)})
        parent = candidates[0] if named else _largest_share(draft.survey.shape, candidates)
        if parent is None:
            return None, Notice("parent_missing")
        if not parent.is_usable:
            return None, Notice("parent_not_taken", {"code": parent.code})
        return parent, None

    def _compare(self, draft: PlaceDraft, level: PlaceLevel, parent: SurveyPlace | None) -> None:
        """Find what is stored of it, by its name beside its neighbours, else by its code."""
        code = _code_of(level, parent, draft.name)
        same_name = [
            p
            for p in self._places[level]
            if _is_one_place(p.parent, parent) and _is_called(p, draft.name)
        ]
        known = next(iter(same_name), None) or next(
            (p for p in self._places[level] if p.code == code), None
        )
        place = SurveyPlace(level, known.code if known else code, draft.name, None, parent)
        draft.place = place
        if known is not None and id(known) in self._drafted:
            first = self._drafted[id(known)]
            draft.refusal = Notice("place_twice", {"code": place.code, "first": first.ref})
        elif known is not None and not _is_one_place(known.parent, parent):
            elsewhere = known.parent.code if known.parent else ""
            draft.refusal = Notice("code_elsewhere", {"code": place.code, "parent": elsewhere})
        elif len(place.code) > place_codes.MOST_CODE:
            draft.refusal = Notice("code_too_long", {"code": place.code})
        if draft.refusal is not None:
            return
        self._place_shape(draft, place, known)
        self._register(draft, place, known)

    def _place_shape(
        self, draft: PlaceDraft, place: SurveyPlace, known: SurveyPlace | None
    ) -> None:
        parent = place.parent
        if parent is not None:
            draft.survey = within_parent(draft.survey, parent.shape, parent.code)
        else:
            others = [p.shape for p in self._places[place.level] if p.shape is not None]
            draft.survey = among_others(draft.survey, others)
        place.shape = draft.survey.shape
        place.stored = known.stored if known else None
        if known is None or known.stored is None:
            draft.values = _values(draft, place)
            return
        draft.values, draft.before = _differences(draft, place, known)
        if place.shape is None:  # what was surveyed once stays
            place.shape = known.shape

    def _register(self, draft: PlaceDraft, place: SurveyPlace, known: SurveyPlace | None) -> None:
        places = self._places[place.level]
        if known is not None:
            places[next(i for i, p in enumerate(places) if p is known)] = place
        else:
            places.append(place)
        self._drafted[id(place)] = draft
        row = draft.plan_row(self._choices)
        place.is_usable = place.stored is not None or not (row.is_undecided or row.chosen == LEAVE)

    def find_overlaps(self) -> None:
        """Say of each bed that would be written which others it lies on."""
        places = [
            p for p in self._places[PlaceLevel.LOCATION] if p.is_usable or id(p) in self._drafted
        ]
        order = {id(draft.place): n for n, draft in enumerate(self.drafts)}
        places.sort(key=lambda p: (order.get(id(p), len(order)), p.code))
        for overlap in overlaps_of([p.shape for p in places]):
            pair = [places[overlap.first], places[overlap.second]]
            drafts = [d for p in pair if (d := self._drafted.get(id(p))) and d.values]
            if not drafts:
                continue
            draft = drafts[0]
            other = pair[1] if draft.place is pair[0] else pair[0]
            notice = Notice(
                "overlaps", {"code": other.code, "name": _full_name(other), "m2": overlap.m2}
            )
            draft.survey = draft.survey.with_doubt(Doubt.OVERLAP, notice, draft.survey.shape)


def in_degrees(session: Session, layer: Layer) -> Layer:
    """A layer in longitude and latitude; other systems are PostGIS's to reckon."""
    if layer.srid == WGS84:
        return layer
    statement = text("SELECT ST_AsBinary(ST_Transform(ST_GeomFromWKB(:wkb, :srid), 4326))")
    features = []
    for feature in layer.features:
        shape = feature.shape
        if shape is not None:
            values = {"wkb": shapely.to_wkb(shape), "srid": layer.srid}
            shape = shapely.from_wkb(bytes(session.scalar(statement, values)))
        features.append(replace(feature, shape=shape))
    return replace(layer, features=tuple(features), srid=WGS84)


def _stored_places(session: Session) -> dict[PlaceLevel, list[SurveyPlace]]:
    by_id: dict[tuple[PlaceLevel, int], SurveyPlace] = {}
    for row in session.scalars(select(Warehouse).order_by(Warehouse.code)):
        by_id[PlaceLevel.WAREHOUSE, row.warehouse_id] = _stored(PlaceLevel.WAREHOUSE, row, None)
    for row in session.scalars(select(StorageArea).order_by(StorageArea.code)):
        parent = by_id[PlaceLevel.WAREHOUSE, row.warehouse_id]
        by_id[PlaceLevel.AREA, row.storage_area_id] = _stored(PlaceLevel.AREA, row, parent)
    for row in session.scalars(select(StorageLocation).order_by(StorageLocation.code)):
        parent = by_id[PlaceLevel.AREA, row.storage_area_id]
        by_id[PlaceLevel.LOCATION, row.location_id] = _stored(PlaceLevel.LOCATION, row, parent)
    return {level: [p for p in by_id.values() if p.level is level] for level in PlaceLevel}


def _stored(level: PlaceLevel, row: Any, parent: SurveyPlace | None) -> SurveyPlace:
    wkb = row.geojson_coordinates
    shape = None if wkb is None else shapely.from_wkb(bytes(wkb.data))
    return SurveyPlace(level, row.code, row.name, shape, parent, row, row.active)


def _is_called(place: SurveyPlace, name: str) -> bool:
    return place.code == name.strip().upper() or (
        place_codes.plain_name(place.name) == place_codes.plain_name(name)
    )


def _is_one_place(place: SurveyPlace | None, other: SurveyPlace | None) -> bool:
    """Whether a place of the survey and one of the database are one."""
    return (place.code if place else None) == (other.code if other else None)


def _largest_share(shape: Any | None, candidates: Sequence[SurveyPlace]) -> SurveyPlace | None:
    """Of places that a shape touches, the one that holds most of it."""
    if shape is None:
        return None
    near = [(c, c.shape) for c in candidates if c.shape is not None and c.shape.intersects(shape)]
    largest = max(near, key=lambda pair: pair[1].intersection(shape).area, default=None)
    return largest[0] if largest else None


def _code_of(level: PlaceLevel, parent: SurveyPlace | None, name: str) -> str:
    if parent is None:
        return place_codes.warehouse_code(name)
    of_level = {
        PlaceLevel.AREA: place_codes.area_code,
        PlaceLevel.LOCATION: place_codes.location_code,
    }
    return of_level[level](parent.code, name)


def _walk_order(values: dict[str, Any], draft: PlaceDraft) -> int:
    """Row by row through a greenhouse; without rows in the order of the file."""
    row, col = (_whole(values.get(name)) for name in ("row", "col"))
    if col is None:
        return (row or 0) * ROW_STEP + draft.feature.row
    return (row or 0) * ROW_STEP + col


def _whole(value: Any) -> int | None:
    words = str(value).strip()
    return int(words) if words.isdecimal() and len(words) < len(str(ROW_STEP * ROW_STEP)) else None


def _values(draft: PlaceDraft, place: SurveyPlace) -> dict[str, Any]:
    values: dict[str, Any] = {"code": place.code, "name": draft.name}
    if place.parent is not None:
        values["parent"] = place.parent.code
    if draft.walk_order is not None:
        values["walk_order"] = draft.walk_order
    return values | {"shape": _shape_text(place.shape)}


def _differences(
    draft: PlaceDraft, place: SurveyPlace, known: SurveyPlace
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs from what is stored; a walking order that is set stays as people set it."""
    values: dict[str, Any] = {}
    before: dict[str, Any] = {}
    if draft.name != known.name:
        values["name"], before["name"] = draft.name, known.name
    if place.shape is not None and not _is_same(place.shape, known.shape):
        values["shape"], before["shape"] = _shape_text(place.shape), _shape_text(known.shape)
    stored: Any = known.stored
    if draft.walk_order is not None and stored.walk_order is None:
        values["walk_order"], before["walk_order"] = draft.walk_order, None
    return values, before


def _is_same(shape: Any, other: Any | None) -> bool:
    return other is not None and bool(shape.equals_exact(other, SAME_DEGREES))


def _shape_text(shape: Any | None) -> str | None:
    """A shape in few words, to see that it changed."""
    return None if shape is None else shapely.to_wkt(shape.centroid, rounding_precision=6)


def _full_name(place: SurveyPlace) -> str:
    """A bed with the places around it: `Claro 1 · Cantero Sur · Nave 4`."""
    names: list[str] = []
    around: SurveyPlace | None = place
    while around is not None:
        names.append(around.name)
        around = around.parent
    return " · ".join(names)


def mapped_layers(
    layers: Iterable[Layer], mappings: Sequence[SourceMapping]
) -> Iterator[tuple[Layer, SourceMapping | None]]:
    """Layers from greenhouses to beds, those of no known level last."""
    by_name = {mapping.name.casefold(): mapping for mapping in mappings}
    pairs = [(layer, by_name.get(layer.name.casefold())) for layer in layers]
    order = {level: n for n, level in enumerate(PlaceLevel)}
    levels = [order.get(m.level, len(order)) if m else len(order) for _, m in pairs]  # type: ignore[call-overload,arg-type]  a word of the enum
    return (pair for _, pair in sorted(zip(levels, pairs, strict=True), key=lambda x: x[0]))
