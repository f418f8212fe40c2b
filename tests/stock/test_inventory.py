"""The inventory by each level, as of a day, and what its numbers leave out."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from demeter.stock.inventory import InventoryBy
from support.ledgerapi import STOCK, count_by_hand, count_by_photo, ok, report_movement, void
from support.ledgersteps import day, supervisor
from support.workbooks import rows_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> None:
    """Counts by hand that decide are a supervisor's."""
    del client
    with transaction() as session:
        supervisor(session)


def inventory(client: TestClient, **params: Any) -> Any:
    return ok(client.get(f"{STOCK}/inventory", params=params))


def plants(client: TestClient, **params: Any) -> list[tuple[Any, int | None, int, int]]:
    rows = inventory(client, **params)["rows"]
    return [(row["code"], row["plants"], row["beds"], row["never_counted"]) for row in rows]


def test_a_group_whose_beds_nobody_counted_has_no_number(client: TestClient):
    first = inventory(client)
    assert (first["total"]["plants"], first["total"]["never_counted"]) == (None, 3)
    count_by_hand(client, 0, 0)
    told = inventory(client)
    assert (told["total"]["plants"], told["total"]["beds"], told["total"]["never_counted"]) == (
        0, 3, 2,
    )  # fmt: skip


def test_every_level_adds_up_to_the_same_total(client: TestClient):
    count_by_hand(client, 100, 0)
    count_by_hand(client, 40, 0, "A2")
    totals = {}
    for by in InventoryBy:
        answer = inventory(client, by=by.value)
        totals[by] = answer["total"]["plants"]
        assert sum(row["plants"] or 0 for row in answer["rows"]) == 140, by
        assert answer["groups"] == len(answer["rows"])
    assert set(totals.values()) == {140}
    on_hand = ok(client.get(f"{STOCK}/on-hand", params={"by": "location"}))
    by_location = {code: number for code, number, *_ in plants(client, by="location")}
    assert {row["group"]["location"]: row["plants"] for row in on_hand} == {"A1": 100, "A2": 40}
    assert by_location == {"A1": 100, "A2": 40, "A3": None}


def test_a_place_narrows_at_any_level(client: TestClient):
    count_by_hand(client, 100, 0)
    count_by_hand(client, 40, 0, "A2")
    assert inventory(client, place_code="A2")["total"]["plants"] == 40
    assert inventory(client, place_code="NAVE1")["total"]["plants"] == 140
    assert inventory(client, place_code="NOWHERE")["rows"] == []


def test_a_past_day_is_as_it_was(client: TestClient):
    count_by_hand(client, 100, 0)
    report_movement(client, "muerte", 30, 2)
    then = inventory(client, at=day(1).isoformat())["total"]
    now = inventory(client, at=day(3).isoformat())["total"]
    assert (then["plants"], now["plants"]) == (100, 70)
    assert (then["change_30_days"], now["change_30_days"]) == (100, 70)
    before = inventory(client, at=day(-1).isoformat())["total"]
    assert (before["plants"], before["never_counted"]) == (None, 3)
    later = inventory(client, at=day(31.5).isoformat())["total"]
    assert later["change_30_days"] == -30


def test_the_inventory_is_a_file_where_one_is_asked_for(client: TestClient):
    count_by_hand(client, 100, 0)
    rows = inventory(client)["rows"]
    csv = client.get(f"{STOCK}/inventory", headers={"accept": "text/csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    lines = csv.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("code,name,detail")
    assert len(lines) == len(rows) + 1
    book = client.get(f"{STOCK}/inventory", headers={"accept": XLSX})
    assert [row[0] for row in rows_of(book.content, "inventory")][1:] == [r["code"] for r in rows]


def test_daily_counts_say_who_how_and_how_many(client: TestClient):
    void(client, count_by_hand(client, 90, 0))
    count_by_hand(client, 100, 1)
    count_by_photo(client, 60, 40, when=2)
    rows = ok(client.get(f"{STOCK}/daily-counts"))["items"]
    assert [(r["how"], r["plants"], r["location_code"]) for r in rows] == [
        ("photo", 100, "A1"),
        ("hand", 100, "A1"),
    ]
    assert rows[0]["interval_low"] <= 100 <= rows[0]["interval_high"]
    assert rows[1]["interval_low"] is None
    assert rows[0]["day"] == day(2).date().isoformat()
    only = {"since": day(2).date().isoformat(), "until": day(2).date().isoformat()}
    assert len(ok(client.get(f"{STOCK}/daily-counts", params=only))["items"]) == 1
    first = ok(client.get(f"{STOCK}/daily-counts", params={"limit": 1}))
    following = {"limit": 1, "cursor": first["next_cursor"]}
    assert ok(client.get(f"{STOCK}/daily-counts", params=following))["items"] == rows[1:]
    csv = client.get(f"{STOCK}/daily-counts", headers={"accept": "text/csv"})
    assert len(csv.content.decode("utf-8-sig").splitlines()) == 3
