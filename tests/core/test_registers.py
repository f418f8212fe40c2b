"""Master data over HTTP: one shape for every table, tried on products."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from demeter.accounts.models import UserRole
from demeter.core.http.files import MEDIA_TYPES
from support.served import client
from support.signing_in import signed_in

__all__ = ["client"]
PRODUCTS = "/api/v1/catalog/products"
HAWORTHIA = {"code": "HAWORTHIA-01", "name": "Haworthia cooperi", "category_code": "SUCCULENT"}


def add(client: TestClient, **fields: object):
    return client.post(PRODUCTS, json=HAWORTHIA | fields)


def test_a_row_is_made_read_changed_put_out_of_use_and_deleted(client: TestClient):
    created = add(client, current_height_mm="12.50")
    assert created.status_code == 201
    assert (created.json()["current_height_mm"], created.json()["updated_at"]) == ("12.50", None)
    one = f"{PRODUCTS}/HAWORTHIA-01"
    assert client.get(one).json() == created.json()
    changed = client.patch(one, json={"family_code": "ASPHODELACEAE", "current_height_mm": None})
    assert changed.json()["family_code"] == "ASPHODELACEAE"
    assert changed.json()["current_height_mm"] is None
    assert changed.json()["name"] == HAWORTHIA["name"]
    assert client.post(f"{one}/deactivate").json()["active"] is False
    assert client.post(f"{one}/deactivate").status_code == 200
    assert client.post(f"{one}/activate").json()["active"] is True
    assert client.delete(one).status_code == 204
    assert client.get(one).json()["code"] == "row_not_found"


def test_a_code_is_given_once_and_a_repeated_request_adds_nothing(client: TestClient):
    key = {"Idempotency-Key": str(uuid4())}
    first = client.post(PRODUCTS, json=HAWORTHIA, headers=key)
    again = client.post(PRODUCTS, json=HAWORTHIA, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    taken = add(client)
    assert (taken.status_code, taken.json()["code"]) == (409, "code_taken")
    add(client, code="OTHER")
    renamed = client.patch(f"{PRODUCTS}/OTHER", json={"code": "HAWORTHIA-01"})
    assert renamed.json()["code"] == "code_taken"


def test_of_many_who_add_one_code_at_once_one_does(client: TestClient):
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: add(client).status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_who_comes_second_is_told_and_sees_both(client: TestClient):
    etag = add(client).headers["etag"]
    one, header = f"{PRODUCTS}/HAWORTHIA-01", {"If-Match": etag}
    assert client.patch(one, json={"name": "One"}, headers=header).status_code == 200
    second = client.patch(one, json={"name": "Two"}, headers=header)
    assert (second.status_code, second.json()["code"]) == (412, "row_changed")
    assert (second.json()["now"]["name"], second.json()["yours"]) == ("One", {"name": "Two"})
    assert client.delete(one, headers=header).status_code == 412


def test_what_is_held_is_not_deleted_and_says_by_whom(client: TestClient):
    answer = client.delete(f"{PRODUCTS}/ECHEVERIA-01")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert answer.json()["held_by"] == {"storage_location_config": 2}
    assert client.get(f"{PRODUCTS}/ECHEVERIA-01").status_code == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"category_code": "CACTI"}, "reference_not_found"),
        ({"category_code": "CACTUS", "family_code": "CRASSULACEAE"}, "family_of_other"),
        ({"code": "a/b"}, "invalid_input"),
        ({"code": " "}, "invalid_input"),
        ({"name": None}, "invalid_input"),
        ({"current_height_mm": "1.2345"}, "invalid_input"),
        ({"current_height_mm": -1}, "invalid_input"),
        ({"custom_attributes": {"a": {"b": 1}}}, "invalid_input"),
        ({"colour": "green"}, "invalid_input"),
    ],
)
def test_what_cannot_be_is_refused(client: TestClient, fields: dict[str, object], code: str):
    answer = add(client, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    if code == "reference_not_found":
        assert answer.json()["nearest"] == ["CACTUS", "SUCCULENT"]


def test_pages_lead_through_all_rows_in_the_order_of_their_codes(client: TestClient):
    for code in ("M", "Z", "A", "B"):
        add(client, code=code)
    codes, cursor = [], None
    while True:
        params: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(PRODUCTS, params=params).json()
        codes += [row["code"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert codes == ["A", "B", "ECHEVERIA-01", "M", "MAMMILLARIA-01", "Z"]
    assert client.get(PRODUCTS, params={"cursor": "rfff"}).json()["code"] == "bad_cursor"


def test_a_list_is_narrowed_by_text_use_and_fields(client: TestClient):
    add(client)
    client.post(f"{PRODUCTS}/HAWORTHIA-01/deactivate")

    def codes(**params: Any) -> list[str]:
        return [row["code"] for row in client.get(PRODUCTS, params=params).json()["items"]]

    assert codes(search="cooper") == ["HAWORTHIA-01"]
    assert codes(search="%") == []
    assert codes(active=False) == ["HAWORTHIA-01"]
    assert codes(active=True, category_code="SUCCULENT") == ["ECHEVERIA-01"]
    assert client.get(PRODUCTS, params={"colour": "green"}).json()["code"] == "unknown_parameter"


def test_a_list_is_a_file_where_that_is_asked_for(client: TestClient):
    add(client, name="=1+1")
    csv = client.get(PRODUCTS, headers={"Accept": "text/csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    lines = csv.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,code,name,category_code")
    assert "'=1+1" in lines[2]
    assert len(lines) == 4
    xlsx = client.get(PRODUCTS, headers={"Accept": MEDIA_TYPES["xlsx"]})
    workbook = CalamineWorkbook.from_filelike(BytesIO(xlsx.content))
    assert workbook.get_sheet_by_index(0).to_python()[1][:3] == [1, "ECHEVERIA-01", "Echeveria"]
    assert client.get(PRODUCTS, headers={"Accept": "*/*"}).json()["next_cursor"] is None


def test_each_change_is_recorded(client: TestClient):
    add(client)
    client.patch(f"{PRODUCTS}/HAWORTHIA-01", json={"name": "Other"})
    client.delete(f"{PRODUCTS}/HAWORTHIA-01")
    entries = client.get("/api/v1/audit", params={"subject_key": "HAWORTHIA-01"}).json()["items"]
    assert [entry["act"] for entry in entries] == ["delete", "update", "insert"]
    assert entries[1]["before"] == {"name": HAWORTHIA["name"]}


@pytest.mark.parametrize("role", [UserRole.SUPERVISOR, UserRole.WORKER, UserRole.VIEWER])
def test_only_an_admin_writes_the_catalog(client: TestClient, role: UserRole):
    person = signed_in("luis", role)
    assert client.get(PRODUCTS, headers=person).status_code == 200
    assert client.post(PRODUCTS, json=HAWORTHIA, headers=person).status_code == 403
    one = f"{PRODUCTS}/ECHEVERIA-01"
    assert client.patch(one, json={"name": "x"}, headers=person).status_code == 403
    assert client.post(f"{one}/deactivate", headers=person).status_code == 403
    assert client.delete(one, headers=person).status_code == 403
