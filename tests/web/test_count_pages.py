"""The pages of counting as served: by hand, beds to remember, and the page for nobody."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from demeter.core.db import engine, transaction
from demeter.counts.models import Count
from support.ledgerapi import ok
from support.nursery import location
from support.served import client, jpeg, row_count, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

HAND = "/count/hand"
BROWSER = {"accept": "text/html", "accept-language": "es"}


def form_of(client: TestClient, bed: str) -> dict[str, list[str]]:
    shown = client.get(HAND, params={"bed": bed}, headers=BROWSER).text
    fields = re.findall(r'name="(bed|movement_id|bin_code)" value="([^"]*)"', shown)
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


def write(client: TestClient, form: dict[str, list[str]], *plants: str):
    return client.post(
        HAND, data=form | {"plants": list(plants)}, headers=BROWSER, follow_redirects=False
    )


def bins_at(client: TestClient, bed: str, *numbers: int) -> None:
    """A bed with so many bins, each counted."""
    with transaction() as session:
        place = location(session, bed)
        session.connection().exec_driver_sql(
            "INSERT INTO storage_bins (storage_location_id, code) "
            f"SELECT {place.location_id}, '{bed}-HAND-BOX-' || n "
            f"FROM generate_series(1, {len(numbers)}) AS n"
        )
    form = form_of(client, bed)
    assert write(client, form, *map(str, numbers)).status_code == 303


def test_a_bed_without_bins_is_counted_whole(client: TestClient) -> None:
    form = form_of(client, "A1")
    assert "bin_code" not in form
    answer = write(client, form, "124")
    assert answer.status_code == 303
    shown = client.get(answer.headers["location"], headers=BROWSER).text
    assert "Anotadas 124 plantas" in shown
    assert "Seguir con Bed A2" in shown
    stock = ok(client.get("/api/v1/stock/counts", params={"location_code": "A1"}))["items"]
    assert [row["plants"] for row in stock] == [124]


def test_bins_are_counted_each_and_what_is_left_open_is_not_counted(client: TestClient) -> None:
    bins_at(client, "A1", 48, 44, 40)
    shown = client.get(HAND, params={"bed": "A1"}, headers=BROWSER).text
    assert "Cajón 3" in shown
    assert re.findall(r"antes (\d+)</span></div>", shown) == ["48", "44", "40"]
    answer = write(client, form_of(client, "A1"), "46", "0", "—")
    assert answer.status_code == 303
    count = ok(client.get(f"/api/v1/stock/counts/{answer.headers['location'].split('=')[-1]}"))
    said = {row["bin_code"]: row["human_corrected"] for row in count["containers"]}
    assert {code: plants for code, plants in said.items() if plants is not None} == {
        "A1-HAND-BOX-1": 46,
        "A1-HAND-BOX-2": 0,
    }


def test_the_same_form_twice_counts_once(client: TestClient) -> None:
    form = form_of(client, "A1")
    first, second = write(client, form, "5"), write(client, form, "5")
    assert second.headers["location"] == first.headers["location"]
    assert row_count(Count) == 1


@pytest.mark.parametrize(
    ("plants", "said"),
    [("", "No se escribió ningún número"), ("—", "No se escribió ningún número"),
     ("1.000", "Eso no es un número de plantas"), ("-5", "Eso no es un número de plantas"),
     ("99999999", "Eso no es un número de plantas")],
)  # fmt: skip
def test_what_is_no_number_is_said_and_stays_typed(
    client: TestClient, plants: str, said: str
) -> None:
    answer = write(client, form_of(client, "A1"), plants)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{plants}"' in answer.text
    assert row_count(Count) == 0


def test_a_count_where_nothing_is_said_to_grow_says_that_it_waits(client: TestClient) -> None:
    answer = write(client, form_of(client, "A3"), "7")
    shown = client.get(answer.headers["location"], headers=BROWSER).text
    assert "Anotadas 7 plantas" in shown
    assert "No se sabe qué se cultiva aquí" in shown


def test_without_a_bed_one_is_asked_for_and_an_unknown_one_is_named(client: TestClient) -> None:
    assert '<option value="A1">' in client.get(HAND, headers=BROWSER).text
    assert client.get(HAND, params={"bed": "X9"}, headers=BROWSER).status_code == 404


def test_who_only_looks_is_not_let_in(client: TestClient) -> None:
    from demeter.accounts.models import UserRole  # noqa: PLC0415

    viewer = signed_in("otto", UserRole.VIEWER)
    for path in ("/count", HAND, "/count/me", "/count/beds", "/parts/count/today"):
        assert client.get(path, headers=viewer).status_code == 403, path
    assert 'href="/count"' not in client.get("/", headers=viewer).text


def test_beds_are_told_in_walking_order_in_one_question(client: TestClient) -> None:
    write(client, form_of(client, "A1"), "12")
    asked: list[str] = []
    event.listen(engine(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    beds = ok(client.get("/count/beds"))
    assert [bed["code"] for bed in beds] == ["A1", "A2", "A3"]
    assert (beds[0]["last"], beds[1]["last"]) == (12, None)
    assert beds[0]["qr"]
    assert len([sql for sql in asked if "storage_locations" in sql]) == 1


def test_today_shows_ones_own_photos_by_the_beds_names(client: TestClient) -> None:
    upload_session(client, jpeg(1))
    assert "Bed A1" in client.get("/parts/count/today").text
    assert "Bed A1" not in client.get("/parts/count/today", headers=signed_in("vera")).text
    version = re.search(r"seen=(\w+)", client.get("/parts/count/today").text)
    assert version
    unchanged = client.get("/parts/count/today", params={"seen": version[1]})
    assert unchanged.status_code == 204


def test_the_page_that_a_phone_keeps_is_nobodys(client: TestClient) -> None:
    upload_session(client, jpeg(1))
    for language, word in (("es", "Galería"), ("en", "Gallery")):
        shell = client.get(f"/count/shell/{language}", headers={"authorization": ""})
        assert word in shell.text
        assert 'name="person"' not in shell.text
        assert "form-token" not in shell.text
        assert "form_token=" not in shell.text
        assert "A1" not in shell.text


def test_the_worker_names_what_it_keeps_and_changes_with_it(client: TestClient) -> None:
    worker = client.get("/sw.js", headers={"authorization": ""})
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    kept = re.search(r'"version": "(\w+)", "files": \[([^\]]*)\]', worker.text)
    assert kept
    assert all(name in kept[2] for name in ("count-", "page-", "style-"))
    assert "/static/dist/sw" not in kept[2]
