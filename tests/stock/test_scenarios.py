"""What happens at a nursery, as it is told to the server, in whatever order; each ends sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from support.ledgerapi import (
    PERIODS,
    STOCK,
    as_julia,
    assert_ledger_verified,
    close_period,
    count_by_hand,
    count_by_photo,
    exception_kinds,
    key,
    ok,
    on_hand,
    open_period,
    period_line,
    post_movement,
    report_movement,
    run_queued_jobs,
    session_read,
    undo,
    void,
)
from support.ledgersteps import supervisor

SUNDAY, MONDAY, TUESDAY = 6, 7, 8


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> Iterator[None]:
    with transaction() as session:
        supervisor(session)
    yield
    assert_ledger_verified()


def test_more_than_was_there_is_an_exception_until_the_planting_is_told(
    client: TestClient,
) -> None:
    count_by_hand(client, 100, 0)
    count_by_hand(client, 130, 30)
    open_period(client, "P1", 30)
    assert (period_line(client, "P1")["sales"], exception_kinds(client, "P1")) == (
        -30,
        ["negative_sales"],
    )
    refused = client.post(f"{PERIODS}/P1/close")
    assert (refused.status_code, refused.json()["exceptions"][0]["figure"]) == (409, -30)
    planting = report_movement(client, "plantar", 30, 20)
    assert sorted(m["quantity"] for m in planting["movements"]) == [-30, 30]
    assert (period_line(client, "P1")["sales"], exception_kinds(client, "P1"), on_hand(client)) == (
        0,
        [],
        130,
    )
    close_period(client, "P1")
    assert on_hand(client) == 130


@pytest.mark.parametrize("reported", ["before the upload", "after the upload"])
def test_mondays_photo_uploaded_on_thursday(client: TestClient, reported: str) -> None:
    count_by_photo(client, 90, when=0)
    if reported == "before the upload":
        report_movement(client, "ventas", 50, TUESDAY)
    late = count_by_photo(client, 100, when=MONDAY)
    if reported == "after the upload":
        report_movement(client, "ventas", 50, TUESDAY)
    assert session_read(client, late)["status"] == "completed"
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)
    report_movement(client, "muerte", 5, SUNDAY)  # told on Friday
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)
    assert on_hand(client, when=SUNDAY) == 85


def test_a_sale_of_more_than_the_ledger_holds_is_tried_again_after_the_photo(
    client: TestClient,
) -> None:
    count_by_photo(client, 30, when=0)
    refused = post_movement(client, "ventas", 50, TUESDAY)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_few_plants")
    assert (refused.json()["available"], refused.json()["asked"]) == (30, 50)
    assert photographed_and_accepted(client, 100, MONDAY) == "completed"
    report_movement(client, "ventas", 50, TUESDAY)
    assert on_hand(client) == 50


def test_a_photo_waits_while_the_ledger_holds_too_few_and_is_tried_again(
    client: TestClient,
) -> None:
    count_by_photo(client, 120, when=0)
    report_movement(client, "ventas", 110, TUESDAY)
    late = count_by_photo(client, 100, when=MONDAY)
    waits = session_read(client, late)
    assert (waits["status"], waits["reason_code"]) == ("needs_review", "stock_would_be_negative")
    assert on_hand(client) == 10
    report_movement(client, "plantar", 60, TUESDAY)
    run_queued_jobs()
    assert session_read(client, late)["status"] == "completed"
    assert (on_hand(client), on_hand(client, when=MONDAY)) == (50, 100)


def photographed_and_accepted(client: TestClient, plants: int, when: float) -> str:
    """A change so large that a person has to stand for it."""
    session = count_by_photo(client, plants, when=when, width=4)
    assert session_read(client, session)["reason_code"] == "implausible_change"
    ok(client.post(f"/api/v1/photos/sessions/{session}/accept", json={}, headers=as_julia()))
    return session_read(client, session)["status"]


def test_a_death_told_last_leaves_each_count_as_it_was(client: TestClient) -> None:
    for plants, when in ((100, 0), (90, 7), (90, 14)):
        count_by_hand(client, plants, when)
    report_movement(client, "muerte", 5, 3)
    assert [on_hand(client, when=when) for when in (0, 3, 7, 14)] == [100, 95, 90, 90]
    assert on_hand(client) == 90


def test_a_count_taken_back_leaves_the_one_after_it(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    second = count_by_hand(client, 80, 7)
    count_by_hand(client, 80, 14)
    void(client, second)
    assert [on_hand(client, when=when) for when in (0, 7, 14)] == [100, 100, 80]
    assert on_hand(client) == 80


def test_more_sold_by_hand_than_the_counts_say_is_undone(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    sale = report_movement(client, "ventas", 20, 10)
    count_by_hand(client, 85, 30)
    open_period(client, "P1", 30)
    line = period_line(client, "P1")
    assert (line["sales"], line["recorded_sales"], exception_kinds(client, "P1")) == (
        15,
        20,
        ["recorded_more_than_sold"],
    )
    assert client.post(f"{PERIODS}/P1/close").status_code == 409
    undo(client, sale)
    assert (exception_kinds(client, "P1"), period_line(client, "P1")["recorded_sales"]) == ([], 0)
    close_period(client, "P1")
    assert (period_line(client, "P1")["sales"], period_line(client, "P1")["unrecorded_sales"]) == (
        15,
        0,
    )


def test_two_counts_around_a_boundary_with_a_grace(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    count_by_hand(client, 90, 29)
    last = count_by_hand(client, 80, 31)
    open_period(client, "P1", 30)
    open_period(client, "P2", 60)
    close_period(client, "P1")
    assert period_line(client, "P1")["sales"] == 20
    count_by_hand(client, 70, 60)
    opening = period_line(client, "P2")["opening"]
    assert (opening["count_id"], opening["plants"]) == (last["count_id"], 80)
    close_period(client, "P2")
    assert period_line(client, "P2")["sales"] == 10


def test_a_transplant_between_two_counts_is_no_sale(client: TestClient) -> None:
    for code, plants in (("A1", 100), ("A2", 50)):
        count_by_hand(client, plants, 0, code)
    report_movement(client, "transplante", 30, 10, to_location_code="A2")
    for code, plants in (("A1", 65), ("A2", 80)):
        count_by_hand(client, plants, 30, code)
    open_period(client, "P1", 30)
    close_period(client, "P1")
    here, there = period_line(client, "P1"), period_line(client, "P1", "A2")
    assert (here["sales"], here["moved_out"], there["sales"], there["moved_in"]) == (5, 30, 0, 30)


def test_sales_recorded_by_hand_are_not_sold_twice(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    report_movement(client, "ventas", 20, 10)
    count_by_hand(client, 70, 30)
    open_period(client, "P1", 30)
    assert (period_line(client, "P1")["sales"], period_line(client, "P1")["unrecorded_sales"]) == (
        30,
        10,
    )
    close_period(client, "P1")
    rows = ok(client.get(f"{STOCK}/movements", params={"movement_type": "ventas"}))["items"]
    assert sorted(row["quantity"] for row in rows) == [-20, -10]


def test_a_tray_sold_out_and_gone_closes_to_its_sales(client: TestClient) -> None:
    count_by_photo(client, 40, 60, when=0, width=4)
    gone = count_by_photo(client, 40, when=30, width=40)
    assert session_read(client, gone)["status"] == "completed"
    open_period(client, "P1", 30)
    assert period_line(client, "P1")["sales"] == 60
    close_period(client, "P1")
    assert (on_hand(client), period_line(client, "P1")["recorded_sales"]) == (40, 60)


def test_photos_of_another_bed_are_moved_there(client: TestClient) -> None:
    count_by_photo(client, 90, when=0)
    wrong = count_by_photo(client, 80, when=7)
    (count,) = [
        row
        for row in ok(client.get(f"{STOCK}/counts", params={"location_code": "A1"}))["items"]
        if row["session_id"] == wrong
    ]
    body = {"movement_id": key(), "reason": "it is A2", "location_code": "A2"}
    path = f"{STOCK}/counts/{count['count_id']}/move"
    preview = ok(client.post(f"{path}/preview", json=body))
    assert [(m["location_code"], m["quantity"]) for m in preview["movements"]] == [("A2", 80)]
    assert (on_hand(client), on_hand(client, "A2")) == (80, 0)
    ok(client.post(path, json=body))
    assert (on_hand(client), on_hand(client, "A2")) == (90, 80)


def test_every_address_of_the_ledger_is_told(client: TestClient) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    paths = ok(client.get("/api/v1/openapi.json"))["paths"]
    ledger = [p for p in paths if p.startswith((STOCK, PERIODS)) and "preview" not in p]
    parts = [(p, p.rpartition("/")) for p in ledger]
    assert [p for p, (head, _, tail) in parts if head not in docs or f"/{tail}" not in docs] == []
