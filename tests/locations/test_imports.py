"""Places from a survey: what each feature becomes, and what a person is asked about."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from demeter.core.geo.errors import ShapesRefused
from demeter.core.imports.kinds import ImportFile
from demeter.core.imports.plans import Choices, Doubt
from demeter.imports import queries, service
from demeter.imports.errors import ImportNeedsChoice
from demeter.locations import place_codes
from demeter.locations.models import StorageArea, StorageLocation, Warehouse
from support.importing import (
    SURVEY,
    carried_out,
    files_at,
    layer,
    needs_samples,
    previewed,
    rows_of,
    service_user,
    square,
    verdicts,
)

NAVE = layer("naves", (square(0, 0, 10, 10), {"name": "Nave 1"}))
CANTERO = layer("canteros", (square(1, 1, 8, 4), {"label": "Cantero Norte", "nave": "Nave 1"}))


def claros(*features):
    return layer(
        "claros",
        *(
            (shape, {"label": name, "nave": "Nave 1", "cantero": "Cantero Norte", "col": n})
            for n, (shape, name) in enumerate(features, start=1)
        ),
    )


@pytest.mark.parametrize(
    ("parents", "name", "code"),
    [
        ((), "Nave 4", "NAVE4"),
        ((), "  náve  ñu 12 ", "NAVENU12"),
        (("NAVE4",), "Cantero Norte", "NAVE4-NORTE"),
        (("NAVE4",), "Cantero 2", "NAVE4-CANTERO2"),
        (("NAVE4",), "Fondo", "NAVE4-FONDO"),
        (("NAVE4", "NAVE4-NORTE"), "Claro 7", "NAVE4-NORTE-C07"),
        (("NAVE4", "NAVE4-NORTE"), "claro 007 bis", "NAVE4-NORTE-C07BIS"),
        (("NAVE4", "NAVE4-NORTE"), "Claro 123", "NAVE4-NORTE-C123"),
        (("NAVE4", "NAVE4-NORTE"), "Mesa larga", "NAVE4-NORTE-MESALARGA"),
    ],
)
def test_a_code_is_made_from_the_name(parents: tuple[str, ...], name: str, code: str):
    of = (place_codes.warehouse_code, place_codes.area_code, place_codes.location_code)
    assert of[len(parents)](*parents[-1:], name) == code


@needs_samples
def test_the_four_greenhouses_are_imported_and_again_nothing_changes(session: Session):
    run = carried_out(session, files_at(SURVEY))
    read = queries.import_read(session, run)
    assert verdicts(session, run) == {"new": 228, "changed": 0, "same": 0, "refused": 0}
    assert (read.counts.rows, read.counts.written, read.counts.overlaps) == (228, 228, 38)
    kinds = (Warehouse, StorageArea, StorageLocation)
    assert [session.scalar(select(func.count()).select_from(k)) for k in kinds] == [4, 8, 216]
    bed = session.scalars(
        select(StorageLocation).where(StorageLocation.code == "NAVE4-NORTE-C07")
    ).one()
    assert (bed.name, bed.area.position, bed.qr_code) == ("Claro 7", "N", "NAVE4-NORTE-C07")
    assert bed.walk_order == 1007
    again = carried_out(session, files_at(SURVEY))
    assert verdicts(session, again) == {"new": 0, "changed": 0, "same": 228, "refused": 0}
    assert queries.import_read(session, again).counts.needs_choice == 0


@needs_samples
def test_pairs_that_overlap_are_named_with_their_area(session: Session):
    rows = rows_of(session, previewed(session, files_at(SURVEY)))
    pairs = queries.overlap_notices(rows)
    row, largest = pairs[0]
    assert (row.code, largest.params["code"]) == ("NAVE3-NORTE-C01", "NAVE4-SUR-C01")
    assert largest.params["m2"] == pytest.approx(0.67, abs=0.005)
    assert Counter(row.code[:5] for row, _ in pairs) == {"NAVE3": 37, "NAVE1": 1}


@needs_samples
def test_areas_are_those_of_postgis(session: Session):
    rows = rows_of(session, carried_out(session, files_at(SURVEY)))
    for row, notice in queries.overlap_notices(rows)[:5]:
        m2 = session.scalar(
            text(
                "SELECT ST_Area(ST_Intersection(a.geojson_coordinates, b.geojson_coordinates)"
                "::geography) FROM storage_locations a, storage_locations b"
                " WHERE a.code = :a AND b.code = :b"
            ),
            {"a": row.code, "b": notice.params["code"]},
        )
        assert notice.params["m2"] == pytest.approx(m2, abs=0.006)


@needs_samples
def test_nothing_is_written_while_a_person_has_to_decide(session: Session):
    run = previewed(session, files_at(SURVEY))
    with pytest.raises(ImportNeedsChoice) as refusal:
        service.apply_import(session, run, service_user(session))
    assert refusal.value.context["rows"] == 22
    assert session.scalar(select(func.count()).select_from(Warehouse)) == 0


@needs_samples
def test_a_bed_that_is_left_is_not_imported(session: Session):
    run = previewed(session, files_at(SURVEY))
    left = [row.ref for row in rows_of(session, run) if row.needs_choice]
    service.change_preview(session, run, choices=Choices(by_row=dict.fromkeys(left, "leave")))
    service.apply_import(session, run, service_user(session))
    counts = queries.import_read(session, run).counts
    assert (counts.written, counts.left) == (206, 22)


def test_a_bed_outside_its_area_is_refused_until_accepted_with_how_far(session: Session):
    run = previewed(session, [NAVE, CANTERO, claros((square(8.9, 1, 0.2, 1), "Claro 1"))])
    (row,) = [row for row in rows_of(session, run) if row.needs_choice]
    (notice,) = row.notices
    assert (row.doubts, notice.params["parent"]) == ([Doubt.OUTSIDE], "NAVE1-NORTE")
    assert notice.params["metres"] == pytest.approx(11_130, rel=0.01)
    service.apply_import(session, run, service_user(session), accept=[Doubt.OUTSIDE])
    assert session.scalar(select(func.count()).select_from(StorageLocation)) == 1


CROSSING = {"type": "Polygon", "coordinates": [[[1, 1], [3, 3], [3, 1], [1, 2], [1, 1]]]}


@pytest.mark.parametrize(
    ("shape", "doubt"),
    [
        (CROSSING, Doubt.SELF_CROSSING),
        (None, Doubt.NO_SHAPE),
        ({"type": "Polygon", "coordinates": []}, Doubt.NO_SHAPE),
        (square(1.5, 2.5, 1, 0.4), None),
    ],
)
def test_a_doubtful_shape_waits_for_a_person_and_is_left_by_yes(session, shape, doubt):
    run = carried_out(session, [NAVE, CANTERO, claros((shape, "Claro 1"))])
    row = rows_of(session, run)[-1]
    assert (row.doubts, row.outcome) == ([doubt], "left") if doubt else ([], "created")
    if doubt:
        run = previewed(session, [claros((shape, "Claro 1"))])
        choices = Choices(by_row={"claros:1": "take"})
        service.change_preview(session, run, choices=choices)
        service.apply_import(session, run, service_user(session))
        assert session.scalar(select(func.count()).select_from(StorageLocation)) == 1


def test_swapped_coordinates_are_seen_by_the_parent(session: Session):
    swapped = {
        "type": "Polygon",
        "coordinates": [[[y, x] for x, y in square(-68.4, -33.4, 0.1, 0.1)["coordinates"][0]]],
    }
    nave = layer("naves", (square(-69, -34, 1, 1), {"name": "Nave 1"}))
    cantero = layer("canteros", (swapped, {"label": "Cantero Norte", "nave": "Nave 1"}))
    row = rows_of(session, previewed(session, [nave, cantero]))[-1]
    assert (row.doubts, row.verdict) == ([Doubt.SWAPPED], "new")


def test_heights_are_dropped_and_a_multipolygon_of_one_part_is_taken(session: Session):
    ring = [[*point, 812.5] for point in square(1, 1, 1, 1)["coordinates"][0]]
    single = {"type": "MultiPolygon", "coordinates": [[ring]]}
    other = square(5, 1)["coordinates"]
    several = {"type": "MultiPolygon", "coordinates": [square(3, 1)["coordinates"], other]}
    run = carried_out(session, [NAVE, CANTERO, claros((single, "Claro 1"), (several, "Claro 2"))])
    one, two = rows_of(session, run)[2:]
    assert (one.outcome, two.outcome) == ("created", "refused")
    assert two.notices[0].code == "several_parts"
    kind = session.scalar(text("SELECT ST_AsText(geojson_coordinates) FROM storage_locations"))
    assert kind.startswith("POLYGON((1 1")


def test_what_is_wrong_with_a_feature_is_said_and_no_row_is_lost(session: Session):
    broken = claros(
        (square(1, 1), ""), (square(2, 1), "Claro 2"), (square(4, 1), "claro  2"),
        ({"type": "LineString", "coordinates": [[1, 1], [2, 2]]}, "Claro 3"),
    )  # fmt: skip
    lost = layer("claros2", (square(1, 3), {"label": "Claro 9", "nave": "Nave 8", "cantero": "X"}))
    strange = layer("quién sabe", (square(1, 1), {"label": "Cosa"}))
    run = carried_out(session, [NAVE, CANTERO, broken, lost, strange])
    rows = rows_of(session, run)
    codes = [row.notices[0].code if row.notices else "" for row in rows]
    assert codes == [
        "", "", "name_missing", "", "place_twice", "wrong_shape", "parent_unknown",
        "layer_unknown",
    ]  # fmt: skip
    counts = queries.import_read(session, run).counts
    assert counts.rows == 8 == counts.new + counts.refused


def test_a_bed_without_a_named_parent_goes_where_most_of_it_lies(session: Session):
    other = layer(
        "canteros",
        (square(1, 1, 8, 4), {"label": "Cantero Norte", "nave": "Nave 1"}),
        (square(1, 5, 8, 4), {"label": "Cantero Sur", "nave": "Nave 1"}),
    )
    bare = layer("claros", (square(2, 6, 1, 1), {"label": "Claro 1"}))
    row = rows_of(session, carried_out(session, [NAVE, other, bare]))[-1]
    assert row.code == "NAVE1-SUR-C01"


def test_a_moved_bed_changes_and_keeps_what_people_set(session: Session):
    carried_out(session, [NAVE, CANTERO, claros((square(1, 1), "Claro 1"))])
    bed = session.scalars(select(StorageLocation)).one()
    bed.walk_order = 77
    session.flush()
    run = carried_out(session, [claros((square(1.5, 1), "Claro 1"))])
    (row,) = rows_of(session, run)
    assert (row.verdict, row.outcome, set(row.values)) == ("changed", "changed", {"shape"})
    session.refresh(bed)
    assert (bed.code, bed.walk_order) == ("NAVE1-NORTE-C01", 77)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[1]", b"<OGRVRTDataSource/>", b"PK\x03\x04 no zip", b"{" * 100_000,
        b'{"type": "FeatureCollection", "features": []}', b"\xff\xfe\x00", b"id,name\n1,a\n",
    ],
)  # fmt: skip
def test_what_is_no_file_of_shapes_is_refused_by_name(session: Session, content: bytes):
    with pytest.raises(ShapesRefused) as refusal:
        previewed(session, [ImportFile("map.kml", content)])
    assert refusal.value.context["file"] == "map.kml"


def whole_survey() -> list[ImportFile]:
    """28 greenhouses of two areas, 1,290 beds, each greenhouse leaning on the next."""
    naves, canteros, beds = [], [], []
    width, depth, step = 0.00055, 0.00012, 0.000116  # degrees; `step` < depth: they overlap
    per_row = [24] * 1 + [23] * 55
    per_row[-1] += 1290 - sum(per_row)
    for nave in range(28):
        x, y = -68.7, -33.04 + nave * 2 * step
        name = f"Nave {nave + 1}"
        naves.append((square(x, y, width, 2 * depth), {"name": name}))
        for side, part in ((0, "Cantero Norte"), (1, "Cantero Sur")):
            low = y + side * depth
            canteros.append((square(x, low, width, depth), {"label": part, "nave": name}))
            number = per_row[nave * 2 + side]
            each = width / number
            beds += [
                (
                    square(x + n * each, low, each, depth),
                    {"label": f"Claro {n + 1}", "row": side + 1, "col": n + 1,
                     "cantero": part, "nave": name},
                )
                for n in range(number)
            ]  # fmt: skip
    return [layer("naves", *naves), layer("canteros", *canteros), layer("claros", *beds)]


def test_a_survey_of_the_whole_size_takes_seconds(session: Session):
    import time  # noqa: PLC0415

    files = whole_survey()
    assert len(json.loads(files[2].content)["features"]) == 1290
    start = time.monotonic()
    run = carried_out(session, files)
    took = time.monotonic() - start
    counts = queries.import_read(session, run).counts
    assert counts.rows == counts.written == 28 + 56 + 1290
    assert counts.overlaps >= 600
    assert took < 30
