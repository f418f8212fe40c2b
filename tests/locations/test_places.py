"""Places by API, command and page: made, changed, retired, found; labels that intake reads."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy.orm import Session

from demeter.app import create_app
from demeter.core.pixels.labels import read_codes
from demeter.locations.labels import FORMATS, BedLabel, bed_labels, labels_pdf
from demeter.photos.location_guess import Label, by_labels
from support.commands import demeter
from support.importing import SURVEY, carried_out, files_at, layer, needs_samples, square
from support.signing_in import signed_in

PLACES = "/api/v1/places"


@pytest.fixture
def client(fresh_database: str) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=signed_in(), base_url="http://localhost") as client:
        yield client


def make(client: TestClient, table: str, **body) -> dict:
    answer = client.post(f"{PLACES}/{table}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def nursery(client: TestClient) -> None:
    make(client, "warehouses", code="NAVE1", name="Nave 1", shape=square(0, 0, 10, 10))
    make(client, "areas", code="N1", name="Norte", warehouse_code="NAVE1", position="N")
    for n, x in ((2, 1.5), (1, 1.0)):
        code = f"N1-C0{n}"
        shape = square(x, 1, 1, 1)
        make(client, "locations", code=code, name=f"Claro {n}", area_code="N1", shape=shape)


def test_places_are_made_changed_found_and_retired(client: TestClient):
    nursery(client)
    at = client.get(f"{PLACES}/at", params={"longitude": 1.75, "latitude": 1.5}).json()
    assert [bed["code"] for bed in at] == ["N1-C01", "N1-C02"]
    assert client.get(f"{PLACES}/at", params={"longitude": 50, "latitude": 1}).json() == []
    assert client.get(f"{PLACES}/by-qr", params={"text": "N1-C02"}).json()["code"] == "N1-C02"
    path = f"{PLACES}/locations/N1-C02"
    changed = client.patch(path, json={"qr_code": "otro", "shape": square(3, 3)})
    assert (changed.json()["qr_code"], changed.json()["shape"]["type"]) == ("otro", "Polygon")
    assert client.get(f"{PLACES}/by-qr", params={"text": "N1-C02"}).status_code == 404
    frame = {"level": "location", "west": 2.5, "south": 0, "east": 9, "north": 9}
    features = client.get(f"{PLACES}/map", params=frame).json()["features"]
    assert [f["properties"]["code"] for f in features] == ["N1-C02"]
    assert client.post(f"{path}/deactivate").json()["active"] is False
    assert client.get(f"{PLACES}/at", params={"longitude": 3.5, "latitude": 3.5}).json() == []
    levels = [(p["level"], p["code"]) for p in client.get(PLACES).json()]
    assert levels[:2] == [("warehouse", "NAVE1"), ("area", "N1")]


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (square(20, 20), "place_outside"),
        ({"type": "Polygon", "coordinates": [[[1, 1], [3, 3], [3, 1], [1, 3], [1, 1]]]},
         "shape_invalid"),
        ({"type": "Polygon", "coordinates": [[[1, 1], [3, 3], [3, 1], [1, 3]]]}, "shape_invalid"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_refused_by_name(client: TestClient, shape: dict, code: str):
    nursery(client)
    client.patch(f"{PLACES}/areas/N1", json={"shape": square(0, 0, 10, 5)})
    answer = client.patch(f"{PLACES}/locations/N1-C01", json={"shape": shape})
    assert (answer.status_code in (409, 422), answer.json()["code"]) == (True, code)


def test_a_bin_goes_in_and_out_of_maintenance_and_is_retired_for_good(client: TestClient):
    nursery(client)
    code = "N1-C01-CAJON-1"
    make(client, "bins", code=code, location_code="N1-C01", bin_type_code="PLUG_72")
    path = f"{PLACES}/bins/{code}"
    for status in ("maintenance", "active", "retired"):
        assert client.patch(path, json={"status": status}).json()["status"] == status
    refused = client.patch(path, json={"status": "active"})
    assert (refused.status_code, refused.json()["code"]) == (409, "bin_status_final")
    assert "retired" in refused.json()["detail"]
    assert "active" in refused.json()["detail"]


def test_neighbours_are_told_and_what_holds_a_place_is_named(client: TestClient):
    nursery(client)
    pair = {"parent_code": "N1-C01", "child_code": "N1-C02", "relationship_type": "adjacent_to"}
    make(client, "relationships", **pair)
    held = client.delete(f"{PLACES}/areas/N1")
    assert (held.status_code, held.json()["held_by"]) == (409, {"storage_locations": 2})


def rendered(content: bytes, page: int = 0, dots_per_inch: int = 200) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    return document[page].render(scale=dots_per_inch / 72).to_pil().convert("RGB")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_labels_are_read_by_intake_from_the_printed_page(name: str):
    sheet = FORMATS[name]
    a_page = sheet.columns * sheet.rows
    beds = [
        BedLabel(f"NAVE12-NORTE-C{n:02d}", f"Claro {n}", "Cantero Norte · Nave 12", f"QR {n} ñ")
        for n in range(1, a_page + 2)
    ]
    content = labels_pdf(beds, name)
    assert len(pypdfium2.PdfDocument(content)) == 2
    texts = [words for words, _ in read_codes(rendered(content))]
    assert sorted(texts) == sorted(bed.qr_text for bed in beds[:a_page])


def test_a_bed_without_a_qr_text_has_its_code_on_its_label(session: Session):
    naves = layer("naves", (square(0, 0, 10, 10), {"name": "Nave 1"}))
    canteros = layer("canteros", (square(0, 0, 9, 9), {"label": "Norte", "nave": "Nave 1"}))
    claros = layer(
        "claros", (square(1, 1), {"label": "Claro 1", "nave": "Nave 1", "area": "Norte"})
    )
    carried_out(session, [naves, canteros, claros])
    (label,) = bed_labels(session)
    bed = by_labels(session, [Label(label.qr_text, 0.5)])[0]
    bed.qr_code = None
    session.flush()
    (label,) = bed_labels(session, "NAVE1")
    assert [row.code for row in by_labels(session, [Label(label.qr_text, 0.5)])] == [bed.code]


@needs_samples
def test_the_commands_import_list_and_label_the_four_greenhouses(
    fresh_database: str, tmp_path: Path
):
    paths = [str(path) for path in SURVEY]
    asked = demeter("places", "import", *paths)
    assert (asked.returncode, "Nothing was written" in asked.stderr) == (1, True)
    assert demeter("places", "list", "--json").stdout.strip() == "[]"
    looked = demeter("places", "import", *paths, "--preview", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["import"]["counts"]["new"]) == (0, 228)
    done = demeter("places", "import", *paths, "--yes", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, len(report["rows"])) == (0, 228)
    assert {row["outcome"] for row in report["rows"]} == {"created"}
    again = json.loads(demeter("places", "import", *paths, "--yes", "--json").stdout)
    assert again["import"]["counts"]["same"] == 228
    assert len(json.loads(demeter("places", "list", "--json").stdout)) == 228
    out = tmp_path / "labels.pdf"
    made = demeter("labels", str(out), "--warehouse", "NAVE4")
    assert (made.returncode, made.stdout.startswith("50 labels")) == (0, True)
    texts = [words for words, _ in read_codes(rendered(out.read_bytes()))]
    assert texts[:2] == ["NAVE4-NORTE-C01", "NAVE4-NORTE-C02"]


@needs_samples
def test_a_point_in_an_overlap_is_of_both_beds_and_none_is_chosen(session: Session):
    from demeter.locations.queries import beds_at  # noqa: PLC0415

    carried_out(session, files_at(SURVEY))
    point = session.connection().exec_driver_sql(
        "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(ST_Intersection("
        "a.geojson_coordinates, b.geojson_coordinates)) AS p FROM storage_locations a,"
        " storage_locations b WHERE a.code = 'NAVE3-NORTE-C01' AND b.code = 'NAVE4-SUR-C01') x"
    )
    longitude, latitude = point.one()
    beds = [bed.code for bed in beds_at(session, longitude, latitude)]
    assert beds == ["NAVE3-NORTE-C01", "NAVE4-SUR-C01"]


def test_a_pdf_is_no_larger_than_it_has_to_be():
    beds = [BedLabel(f"B{n}", f"Claro {n}", "Nave", f"B{n}") for n in range(240)]
    assert len(io.BytesIO(labels_pdf(beds)).getvalue()) < 2_000_000
