"""Places from files of shapes: greenhouses, areas and beds of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.core.geo.reading import WGS84, read_layers
from demeter.core.imports.columns import SourceColumns, SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportKind
from demeter.core.imports.plans import Choices, Plan, PlannedRow
from demeter.core.permissions import Permission
from demeter.locations import place_codes
from demeter.locations.models import (
    AreaPosition,
    LocationType,
    StorageArea,
    StorageLocation,
    Warehouse,
    WarehouseType,
)
from demeter.locations.survey_columns import FIELDS, PlaceLevel, guess_levels
from demeter.locations.survey_plan import PlaceDraft, SurveyPlan, in_degrees, mapped_layers

EXAMPLES = 3


def sources(files: Files) -> list[SourceColumns]:
    """The layers of the files.

    Raises:
        ShapesRefused: one cannot be read.
    """
    return [
        SourceColumns(
            layer.name,
            {column: column for column in layer.columns},
            {
                column: tuple(
                    str(feature.values[column])
                    for feature in layer.features[:EXAMPLES]
                    if feature.values[column] is not None
                )
                for column in layer.columns
            },
            len(layer.features),
        )
        for layer in read_layers(files)
    ]


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each feature of each layer.

    Raises:
        ShapesRefused: a file cannot be read.
    """
    layers = [in_degrees(session, layer) for layer in read_layers(files)]
    survey = SurveyPlan(session, choices)
    for layer, mapping in mapped_layers(layers, mappings):
        survey.add_layer(layer, mapping)
    survey.find_overlaps()
    drafts = {draft.ref: draft for draft in survey.drafts}
    return Plan(tuple(survey.rows()), rests_on={"drafts": drafts})


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """Carry out the rows that are to be written, greenhouses first."""
    # What lies outside was shown to a person, or is the rounding of coordinates.
    session.execute(text("SET LOCAL demeter.accept_outside = 'on'"))
    made: dict[tuple[PlaceLevel, str], Any] = {}
    for row in planned.rows:
        draft: PlaceDraft = planned.rests_on["drafts"][row.ref]
        if row.is_written:
            _write(session, draft, made, journal)
    _give_qr_texts(session, made)
    session.flush()
    session.execute(text("SET LOCAL demeter.accept_outside = 'off'"))


def _give_qr_texts(session: Session, made: dict[tuple[PlaceLevel, str], Any]) -> None:
    """New beds have their code on their label, unless that is another's."""
    with session.no_autoflush:
        texts = set(session.scalars(select(StorageLocation.qr_code)))
    for (level, code), row in made.items():
        if level is PlaceLevel.LOCATION and code not in texts:
            row.qr_code = code


def _write(
    session: Session, draft: PlaceDraft, made: dict[tuple[PlaceLevel, str], Any], journal: Journal
) -> None:
    place = draft.place
    assert place is not None  # a draft without one is refused
    values: dict[str, Any] = {"name": draft.name}
    if draft.survey.shape is not None:
        values["geojson_coordinates"] = from_shape(draft.survey.shape, srid=WGS84)
    if draft.walk_order is not None:
        values["walk_order"] = draft.walk_order
    if place.stored is not None:
        changed = {"shape": "geojson_coordinates"}
        names = {changed.get(name, name) for name in draft.values}
        journal.change(place.stored, {n: v for n, v in values.items() if n in names})
        return
    parent = place.parent
    above = None
    if parent is not None:
        above = parent.stored if parent.stored is not None else made[parent.level, parent.code]
    made[place.level, place.code] = journal.create(
        session, _row(place.level, place.code, values, above)
    )


def _row(level: PlaceLevel, code: str, values: dict[str, Any], above: Any) -> Any:
    if level is PlaceLevel.WAREHOUSE:
        return Warehouse(code=code, warehouse_type=WarehouseType.GREENHOUSE, **values)
    if level is PlaceLevel.AREA:
        side = place_codes.side_of(values["name"])
        position = AreaPosition(side) if side else None
        kind = above.warehouse_type
        return StorageArea(code=code, area_type=kind, position=position, warehouse=above, **values)
    kind = LocationType.GROWING_BED
    return StorageLocation(code=code, location_type=kind, area=above, **values)


def outline(planned: Plan) -> list[dict[str, Any]]:
    """The shapes for a map: greenhouses and beds, and whether something overlaps."""
    drafts: dict[str, PlaceDraft] = planned.rests_on["drafts"]
    return [_outline(row, drafts[row.ref]) for row in planned.rows if _has_outline(row, drafts)]


def _has_outline(row: PlannedRow, drafts: dict[str, PlaceDraft]) -> bool:
    draft = drafts[row.ref]
    shape = draft.survey.shape
    return shape is not None and shape.geom_type == "Polygon"


def _outline(row: PlannedRow, draft: PlaceDraft) -> dict[str, Any]:
    shape: Any = draft.survey.shape
    ring = shapely.get_coordinates(shape.exterior).round(8).tolist()
    return {
        "ref": row.ref,
        "level": draft.level,
        "name": draft.name,
        "code": row.code,
        "ring": ring,
        "overlaps": [n.params["code"] for n in row.notices if n.code == "overlaps"],
    }


KIND = ImportKind(
    name="places",
    permission=Permission.DECIDE,
    fields=FIELDS,
    required=("name",),
    levels=tuple(PlaceLevel),
    sources=sources,
    guess=guess_levels,
    plan=plan,
    write=write,
    outline=outline,
)
