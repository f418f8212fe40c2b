"""What happens at a nursery, as it is told to the server, in whatever order; each ends sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from ledgerapi import (
    PERIODS,
    STOCK,
    closed,
    counted,
    key,
    kinds,
    ledger_is_verified,
    line,
    moved,
    ok,
    on_hand,
    opened,
    photographed,
    report,
    retried,
    session_of,
    undo,
    void,
)
from ledgersteps import supervisor

SUNDAY, MONDAY, TUESDAY = 6, 7, 8


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> Iterator[None]:
    with transaction() as session:
        supervisor(session)
    yield
    ledger_is_verified()


def test_more_than_was_there_is_an_exception_until_the_planting_is_told(
    client: TestClient,
) -> None:
    counted(client, 100, 0)
    counted(client, 130, 30)
    opened(client, "P1", 30)
    assert (line(client, "P1")["sales"], kinds(client, "P1")) == (-30, ["negative_sales"])
    refused = client.post(f"{PERIODS}/P1/close")
    assert (refused.status_code, refused.json()["exceptions"][0]["figure"]) == (409, -30)
    told = moved(client, "plantar", 30, 20)
    assert sorted(m["quantity"] for m in told["movements"]) == [-30, 30]
    assert (line(client, "P1")["sales"], kinds(client, "P1"), on_hand(client)) == (0, [], 130)
    closed(client, "P1")
    assert on_hand(client) == 130


@pytest.mark.parametrize("reported", ["before the upload", "after the upload"])
def test_mondays_photo_uploaded_on_thursday(client: TestClient, reported: str) -> None:
    photographed(client, 90, when=0)
    if reported == "before the upload":
        moved(client, "ventas", 50, TUESDAY)
    late = photographed(client, 100, when=MONDAY)
    if reported == "after the upload":
        moved(client, "ventas", 50, TUESDAY)
    assert session_of(client, late)["status"] == "completed"
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)
    moved(client, "muerte", 5, SUNDAY)  # told on Friday
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)
    assert on_hand(client, when=SUNDAY) == 85


def test_a_sale_of_more_than_the_ledger_holds_is_tried_again_after_the_photo(
    client: TestClient,
) -> None:
    photographed(client, 30, when=0)
    refused = report(client, "ventas", 50, TUESDAY)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_few_plants")
    assert (refused.json()["available"], refused.json()["asked"]) == (30, 50)
    assert photographed_and_accepted(client, 100, MONDAY) == "completed"
    moved(client, "ventas", 50, TUESDAY)
    assert on_hand(client) == 50


def test_a_photo_waits_while_the_ledger_holds_too_few_and_is_tried_again(
    client: TestClient,
) -> None:
    photographed(client, 120, when=0)
    moved(client, "ventas", 110, TUESDAY)
    late = photographed(client, 100, when=MONDAY)
    waits = session_of(client, late)
    assert (waits["status"], waits["reason_code"]) == ("needs_review", "stock_would_be_negative")
    assert on_hand(client) == 10
    moved(client, "plantar", 60, TUESDAY)
    retried()
    assert session_of(client, late)["status"] == "completed"
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)


def photographed_and_accepted(client: TestClient, plants: int, when: float) -> str:
    """A change so large that a person has to stand for it."""
    session = photographed(client, plants, when=when, width=4)
    assert session_of(client, session)["reason_code"] == "implausible_change"
    ok(client.post(f"/api/v1/photos/sessions/{session}/accept", json={"user": "julia"}))
    return session_of(client, session)["status"]


def test_a_death_told_last_leaves_each_count_as_it_was(client: TestClient) -> None:
    for plants, when in ((100, 0), (90, 7), (90, 14)):
        counted(client, plants, when)
    moved(client, "muerte", 5, 3)
    assert [on_hand(client, when=when) for when in (0, 3, 7, 14)] == [100, 95, 90, 90]
    assert on_hand(client) == 90


def test_a_count_taken_back_leaves_the_one_after_it(client: TestClient) -> None:
    counted(client, 100, 0)
    second = counted(client, 80, 7)
    counted(client, 80, 14)
    void(client, second)
    assert [on_hand(client, when=when) for when in (0, 7, 14)] == [100, 100, 80]
    assert on_hand(client) == 80


def test_more_sold_by_hand_than_the_counts_say_is_undone(client: TestClient) -> None:
    counted(client, 100, 0)
    sold = moved(client, "ventas", 20, 10)
    counted(client, 85, 30)
    opened(client, "P1", 30)
    found = line(client, "P1")
    assert (found["sales"], found["recorded_sales"], kinds(client, "P1")) == (
        15,
        20,
        ["recorded_more_than_sold"],
    )
    assert client.post(f"{PERIODS}/P1/close").status_code == 409
    undo(client, sold)
    assert (kinds(client, "P1"), line(client, "P1")["recorded_sales"]) == ([], 0)
    closed(client, "P1")
    assert (line(client, "P1")["sales"], line(client, "P1")["unrecorded_sales"]) == (15, 0)


def test_two_counts_around_a_boundary_with_a_grace(client: TestClient) -> None:
    counted(client, 100, 0)
    counted(client, 90, 29)
    last = counted(client, 80, 31)
    opened(client, "P1", 30)
    opened(client, "P2", 60)
    closed(client, "P1")
    assert line(client, "P1")["sales"] == 20
    counted(client, 70, 60)
    opening = line(client, "P2")["opening"]
    assert (opening["count_id"], opening["plants"]) == (last["count_id"], 80)
    closed(client, "P2")
    assert line(client, "P2")["sales"] == 10


def test_a_transplant_between_two_counts_is_no_sale(client: TestClient) -> None:
    for code, plants in (("A1", 100), ("A2", 50)):
        counted(client, plants, 0, code)
    moved(client, "transplante", 30, 10, to_location_code="A2")
    for code, plants in (("A1", 65), ("A2", 80)):
        counted(client, plants, 30, code)
    opened(client, "P1", 30)
    closed(client, "P1")
    here, there = line(client, "P1"), line(client, "P1", "A2")
    assert (here["sales"], here["moved_out"], there["sales"], there["moved_in"]) == (5, 30, 0, 30)


def test_sales_recorded_by_hand_are_not_sold_twice(client: TestClient) -> None:
    counted(client, 100, 0)
    moved(client, "ventas", 20, 10)
    counted(client, 70, 30)
    opened(client, "P1", 30)
    assert (line(client, "P1")["sales"], line(client, "P1")["unrecorded_sales"]) == (30, 10)
    closed(client, "P1")
    rows = ok(client.get(f"{STOCK}/movements", params={"movement_type": "ventas"}))["items"]
    assert sorted(row["quantity"] for row in rows) == [-20, -10]


def test_a_tray_sold_out_and_gone_closes_to_its_sales(client: TestClient) -> None:
    photographed(client, 40, 60, when=0, width=4)
    gone = photographed(client, 40, when=30, width=60)
    assert session_of(client, gone)["status"] == "completed"
    opened(client, "P1", 30)
    assert line(client, "P1")["sales"] == 60
    closed(client, "P1")
    assert (on_hand(client), line(client, "P1")["recorded_sales"]) == (40, 60)


def test_photos_of_another_bed_are_moved_there(client: TestClient) -> None:
    photographed(client, 90, when=0)
    wrong = photographed(client, 80, when=7)
    (count,) = [
        one
        for one in ok(client.get(f"{STOCK}/counts", params={"location_code": "A1"}))["items"]
        if one["session_id"] == wrong
    ]
    body = {"movement_id": key(), "reason": "it is A2", "location_code": "A2"}
    path = f"{STOCK}/counts/{count['count_id']}/move"
    shown = ok(client.post(f"{path}/preview", json=body))
    assert [(m["location_code"], m["quantity"]) for m in shown["movements"]] == [("A2", 80)]
    assert (on_hand(client), on_hand(client, "A2")) == (80, 0)
    ok(client.post(path, json=body))
    assert (on_hand(client), on_hand(client, "A2")) == (90, 80)


def test_every_address_of_the_ledger_is_told(client: TestClient) -> None:
    told = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    paths = ok(client.get("/api/v1/openapi.json"))["paths"]
    ledger = [p for p in paths if p.startswith((STOCK, PERIODS)) and "preview" not in p]
    parts = [(p, p.rpartition("/")) for p in ledger]
    assert [p for p, (head, _, tail) in parts if head not in told or f"/{tail}" not in told] == []
