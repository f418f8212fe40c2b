"""Imports over HTTP and on pages: previewed, decided, carried out once, and taken back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from demeter.accounts.models import UserRole
from demeter.app import create_app
from demeter.catalog.models import LocationConfig, Product
from demeter.core.db import transaction
from demeter.locations.models import StorageLocation
from support.importing import a_file, layer, square
from support.signing_in import entrance, signed_in

IMPORTS = "/api/v1/imports"
NAVE = layer("naves", (square(0, 0, 10, 10), {"name": "Nave 1"}))
CANTERO = layer("canteros", (square(0, 0, 10, 5), {"label": "Norte", "nave": "Nave 1"}))
CLAROS = layer(
    "claros",
    *(
        (
            square(n, 1, 1.2, 1),
            {"label": f"Claro {n}", "nave": "Nave 1", "cantero": "Norte", "col": n},
        )
        for n in (1, 2, 3)
    ),
)
PRODUCTS = "nombre,codigo\nEcheveria,ECH\nLithops,LIT\n"


@pytest.fixture
def client(fresh_database: str) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=signed_in(), base_url="http://localhost") as client:
        yield client


def sent(*files, **fields) -> dict:
    parts = [("files", (file.name, file.content)) for file in files]
    return {"files": parts, "data": fields}


def survey(client: TestClient, **headers: str) -> dict:
    answer = client.post(IMPORTS, **sent(NAVE, CANTERO, CLAROS, kind="places"), headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def beds() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(StorageLocation)) or 0


def test_a_survey_is_previewed_decided_and_carried_out_once(client: TestClient):
    run = survey(client)
    path = f"{IMPORTS}/{run['id']}"
    assert (run["counts"]["new"], run["counts"]["needs_choice"], beds()) == (5, 2, 0)
    refused = client.post(f"{path}/apply", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "import_needs_choice")
    waiting = client.get(f"{path}/rows", params={"needs_choice": True}).json()["items"]
    assert [row["ref"] for row in waiting] == ["claros:1", "claros:2"]
    assert waiting[0]["notices"][0]["code"] == "overlaps"
    etag = client.get(path).headers["etag"]
    choices = {"choices": {"rows": {"claros:1": "leave", "claros:2": "take"}}}
    assert client.patch(path, json=choices, headers={"If-Match": etag}).status_code == 200
    stale = client.patch(path, json=choices, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "row_changed")
    key = {"Idempotency-Key": str(uuid4())}
    done = client.post(f"{path}/apply", json={}, headers=key).json()
    assert (done["status"], done["counts"]["written"], done["counts"]["left"]) == ("applied", 4, 1)
    assert client.post(f"{path}/apply", json={}, headers=key).json() == done
    assert client.post(f"{path}/apply", json={}).json() == done
    assert beds() == 2
    assert client.patch(path, json=choices).json()["code"] == "import_not_open"


def test_an_import_is_taken_back_while_nothing_rests_on_it(client: TestClient):
    run = survey(client)
    path = f"{IMPORTS}/{run['id']}"
    client.post(f"{path}/apply", json={"accept": ["overlap"]})
    assert beds() == 3
    listed = client.post(IMPORTS, **sent(file("p.csv", PRODUCTS), kind="products")).json()
    client.post(f"{IMPORTS}/{listed['id']}/apply", json={})
    with transaction() as session:
        bed = session.scalars(select(StorageLocation)).first()
        product = session.scalars(select(Product)).first()
        assert bed is not None
        assert product is not None
        config = LocationConfig(
            storage_location_id=bed.location_id,
            product_id=product.id,
            expected_product_state_id=3,
        )
        session.add(config)
    held = client.post(f"{path}/undo")
    assert (held.status_code, held.json()["held_by"]) == (409, {"storage_location_config": 1})
    held = client.post(f"{IMPORTS}/{listed['id']}/undo").json()
    assert held["held_by"] == {"storage_location_config": 1}
    with transaction() as session:
        session.delete(session.scalars(select(LocationConfig)).one())
    assert client.post(f"{path}/undo").json()["status"] == "undone"
    assert client.post(f"{path}/undo").json()["status"] == "undone"
    assert beds() == 0
    assert client.post(f"{IMPORTS}/{listed['id']}/undo").json()["status"] == "undone"


def test_what_was_changed_is_given_back_unless_somebody_changed_it_since(client: TestClient):
    first = client.post(IMPORTS, **sent(file("p.csv", PRODUCTS), kind="products")).json()
    client.post(f"{IMPORTS}/{first['id']}/apply", json={})
    renamed = PRODUCTS.replace("Echeveria", "Echeveria elegans")
    second = client.post(IMPORTS, **sent(file("p.csv", renamed), kind="products")).json()
    assert (second["counts"]["changed"], second["counts"]["same"]) == (1, 1)
    client.post(f"{IMPORTS}/{second['id']}/apply", json={})
    assert product_name("ECH") == "Echeveria elegans"
    assert client.post(f"{IMPORTS}/{second['id']}/undo").json()["status"] == "undone"
    assert product_name("ECH") == "Echeveria"


def product_name(code: str) -> str:
    with transaction() as session:
        return session.scalars(select(Product.name).where(Product.code == code)).one()


def file(name: str, words: str):
    return a_file(words, name)


def test_columns_are_changed_and_remembered_for_the_next_file(client: TestClient):
    words = "planta,cod\nEcheveria,ECH\n"
    unknown = client.post(IMPORTS, **sent(file("x.csv", words)))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "import_kind_unknown")
    run = client.post(IMPORTS, **sent(file("x.csv", words), kind="products")).json()
    path = f"{IMPORTS}/{run['id']}"
    sources = client.get(f"{path}/sources").json()
    assert sources[0]["columns"] == {"A": "", "B": ""}
    missing = client.post(f"{path}/apply", json={"leave_undecided": True})
    assert missing.json()["code"] == "import_columns_missing"
    mapping = [{"name": "x", "heading_row": 1, "columns": {"name": "A", "code": "B"}}]
    assert client.patch(path, json={"mapping": mapping}).json()["counts"]["new"] == 1
    saved = client.post("/api/v1/import-profiles", json={"name": "Mía", "import_id": run["id"]})
    assert (saved.status_code, saved.json()["kind"]) == (201, "products")
    other = client.post(IMPORTS, **sent(file("y.csv", words), profile="Mía")).json()
    assert (other["kind"], other["counts"]["new"], other["profile"]) == ("products", 1, "Mía")
    assert client.delete("/api/v1/import-profiles/Mía").status_code == 200
    gone = client.post(IMPORTS, **sent(file("y.csv", words), profile="Mía"))
    assert gone.json()["code"] == "import_profile_not_found"


def test_the_report_has_every_row_and_no_formula(client: TestClient):
    words = "nombre,codigo\n=1+1,X\n,Y\n"
    run = client.post(IMPORTS, **sent(file("p.csv", words), kind="products")).json()
    client.post(f"{IMPORTS}/{run['id']}/apply", json={})
    answer = client.get(f"{IMPORTS}/{run['id']}/report.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[4] for row in rows[1:]] == ["'=1+1", ""]
    assert client.get(f"{IMPORTS}/{run['id']}/report.xlsx").content[:2] == b"PK"


@pytest.mark.parametrize(
    ("kind", "role", "status"),
    [
        ("products", UserRole.SUPERVISOR, 403),
        ("people", UserRole.SUPERVISOR, 403),
        ("places", UserRole.WORKER, 403),
        ("prices", UserRole.SUPERVISOR, 201),
    ],
)
def test_who_may_import_what(client: TestClient, kind: str, role: UserRole, status: int):
    headers = signed_in("otra", role)
    answer = client.post(IMPORTS, **sent(file("p.csv", PRODUCTS), kind=kind), headers=headers)
    assert answer.status_code == status


@pytest.fixture
def page(client: TestClient) -> TestClient:
    """A browser without scripts, signed in."""
    browser = TestClient(client.app, headers={"accept": "text/html"}, base_url="http://localhost")
    browser.get(entrance("ana"))
    return browser


def form_token(page: TestClient, path: str) -> str:
    return page.get(path).text.partition('name="form-token" content="')[2].partition('"')[0]


def test_the_page_goes_from_files_to_beds_and_back_without_scripts(page: TestClient):
    token = form_token(page, "/imports?kind=places")
    parts = sent(NAVE, CANTERO, CLAROS, kind="places")
    shown = page.post(f"/imports?form_token={token}", **parts)
    assert shown.status_code == 200, shown.text
    assert "Importar 5 lugares" in shown.text
    assert "Pisa a Claro 2" in shown.text
    assert shown.text.count("<path") == 6
    path = shown.url.path
    assert "Cantero" in page.get(f"{path}/columns").text
    form = {"form_token": token, "shown": ["claros:1", "claros:2"], "take": ["claros:1"]}
    done = page.post(f"{path}/apply", data=form)
    assert "Se importaron 4 filas" in done.text
    assert beds() == 2
    back = page.post(f"{path}/undo", data={"form_token": token})
    assert "Deshecho" in back.text
    assert beds() == 0


def test_a_file_that_cannot_be_read_is_said_on_the_page(page: TestClient):
    token = form_token(page, "/imports")
    parts = sent(file("map.kml", "no"), kind="places")
    answer = page.post(f"/imports?form_token={token}", **parts)
    assert answer.status_code == 422
    assert "No es GeoJSON ni KML" in answer.text
