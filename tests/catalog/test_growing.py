"""What grows where: said for one bed or many, by API, page and command; what waits is retried."""

from __future__ import annotations

import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from support.commands import demeter
from support.served import client
from support.signing_in import entrance, signed_in

__all__ = ["client"]
LOCATIONS = "/api/v1/locations"
GROWING = {"product_code": "MAMMILLARIA-01", "state": "JUVENILE"}
HTML = {"accept": "text/html", "accept-language": "es"}


def bed(client: TestClient, code: str) -> dict[str, object]:
    (row,) = client.get(LOCATIONS, params={"place_code": code}).json()
    return row


def history(code: str) -> list[tuple[bool, str | None]]:
    with transaction() as session:
        rows = session.execute(
            text("""
            SELECT c.active, c.count_unit FROM storage_location_config c
            JOIN storage_locations l ON l.location_id = c.storage_location_id
            WHERE l.code = :code ORDER BY c.id"""),
            {"code": code},
        )
        return [(row.active, row.count_unit) for row in rows]


def test_it_is_said_of_many_beds_at_once_and_what_was_said_stays_as_history(client: TestClient):
    body = GROWING | {"location_codes": ["A1", "A3", "A1"], "count_unit": "containers"}
    answer = client.post(f"{LOCATIONS}/configs", json=body)
    assert [row["location_code"] for row in answer.json()["items"]] == ["A1", "A3"]
    assert {row["product_name"] for row in answer.json()["items"]} == {"Mammillaria"}
    assert history("A1") == [(False, None), (True, "containers")]
    again = client.post(f"{LOCATIONS}/configs", json=GROWING | {"location_codes": ["A1"]})
    assert again.json()["items"][0]["count_unit"] == "containers"
    by_kind = client.post(f"{LOCATIONS}/A1/config", json=GROWING | {"count_unit": None})
    assert by_kind.json()["count_unit"] is None
    assert len(history("A1")) == 2


def test_of_many_beds_all_are_said_or_none(client: TestClient):
    body = GROWING | {"location_codes": ["A3", "ZZ"]}
    answer = client.post(f"{LOCATIONS}/configs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_thing")
    assert bed(client, "A3")["product_code"] is None
    assert client.post(f"{LOCATIONS}/configs", json=GROWING | {"location_codes": []}).is_error


def test_what_is_out_of_use_grows_nowhere_anew(client: TestClient):
    client.post("/api/v1/catalog/products/MAMMILLARIA-01/deactivate")
    answer = client.post(f"{LOCATIONS}/A3/config", json=GROWING)
    assert (answer.status_code, answer.json()["code"]) == (409, "catalog_inactive")
    client.post("/api/v1/catalog/products/ECHEVERIA-01/deactivate")
    same = GROWING | {"product_code": "ECHEVERIA-01", "state": "SEEDLING"}
    assert client.post(f"{LOCATIONS}/A1/config", json=same).status_code == 200


def test_nothing_is_said_any_more(client: TestClient):
    assert client.delete(f"{LOCATIONS}/A1/config").json()["product_code"] is None
    assert client.delete(f"{LOCATIONS}/A1/config").status_code == 200
    assert history("A1") == [(False, None)]


def test_the_command_says_it_of_many_beds(client: TestClient):
    words = ["A1", "A3", "--product", "MAMMILLARIA-01", "--state", "JUVENILE"]
    words += ["--count-unit", "plants", "--framed-whole", "--json"]
    done = demeter("beds", "grow", *words)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["location_code"], row["count_unit"]) for row in rows] == [
        ("A1", "plants"),
        ("A3", "plants"),
    ]
    assert all(row["framed_whole"] for row in rows)


@pytest.fixture
def page(client: TestClient) -> TestClient:
    """A browser in which a supervisor is signed in."""
    del client.headers["Authorization"]
    client.get(entrance("marta", UserRole.SUPERVISOR))
    client.headers.update(HTML)
    return client


def form(page: TestClient) -> dict[str, object]:
    token = re.search(r'name="form_token" value="([^"]+)"', page.get("/growing").text)
    assert token
    return {"form_token": token[1]}


def test_a_page_says_it_of_the_beds_that_are_ticked(page: TestClient):
    shown = page.get("/growing").text
    assert "Sin decir 1" in shown
    assert 'value="A3" checked' in page.get("/growing", params={"choose": "unsaid"}).text
    ticked = {"location": ["A1", "A3"], "count_unit": "containers", "framed_whole": "yes"}
    saved = page.post("/growing", data=form(page) | GROWING | ticked)
    assert "Guardado en 2 claros." in saved.text
    assert history("A3") == [(True, "containers")]
    refused = page.post("/growing", data=form(page) | GROWING)
    assert refused.status_code == 422
    assert "Marque los claros" in refused.text
    cleared = page.post("/growing", data=form(page) | {"location": ["A3"], "act": "clear"})
    assert "Sin decir 1" in cleared.text


def test_a_worker_sees_it_and_cannot_say_it(client: TestClient):
    worker = signed_in("luis", UserRole.WORKER)
    shown = client.get("/growing", headers=HTML | worker).text
    assert "Guardar" not in shown
    body = GROWING | {"location_codes": ["A3"]}
    assert client.post(f"{LOCATIONS}/configs", json=body, headers=worker).status_code == 403
    assert client.delete(f"{LOCATIONS}/A1/config", headers=worker).status_code == 403
