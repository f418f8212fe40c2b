"""Unknown is not zero: a bed that nobody counted has no number, one that holds nothing has 0."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from support.ledgerapi import (
    PERIODS,
    STOCK,
    count_by_hand,
    count_by_photo,
    ok,
    open_period,
    period_line,
    report_movement,
    void,
)
from support.ledgersteps import day, supervisor


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> None:
    """Counts by hand that decide are a supervisor's."""
    del client
    with transaction() as session:
        supervisor(session)


def stock(client: TestClient, **params: Any) -> list[tuple[Any, int | None, int]]:
    rows = ok(client.get(f"{STOCK}/on-hand", params={"by": "location"} | params))
    return [(row["group"].get("location"), row["plants"], row["never_counted"]) for row in rows]


def test_a_bed_that_nobody_counted_is_not_known(client: TestClient) -> None:
    assert stock(client, location="A1") == [("A1", None, 1)]
    first = count_by_hand(client, 0, 1)
    assert stock(client, location="A1") == [("A1", 0, 0)]
    assert stock(client, location="A1", at=day(0).isoformat()) == [("A1", None, 1)]
    assert stock(client, location="A1", by=["location", "product"]) == [("A1", 0, 0)]
    void(client, first)
    assert stock(client, location="A1") == [("A1", None, 1)]


def test_what_is_booked_where_nobody_counted_is_no_whole_number(client: TestClient) -> None:
    report_movement(client, "plantar", 40, 0, location_code="A2")
    assert stock(client, location="A2") == [("A2", 40, 1)]
    report_movement(client, "muerte", 40, 1, location_code="A2")
    assert stock(client, location="A2") == [("A2", None, 1)]


def test_a_greenhouse_says_how_many_of_its_beds_are_in_no_number(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    count_by_hand(client, 0, 0, "A2")
    assert stock(client, warehouse="NAVE1") == [("A1", 100, 0), ("A2", 0, 0), ("A3", None, 1)]
    assert stock(client, warehouse="NAVE1", by="warehouse") == [(None, 100, 1)]
    assert stock(client) == [("A1", 100, 0)]  # of no place by name: what holds plants
    assert stock(client, product="ECHEVERIA-01") == [("A1", 100, 0)]


def test_a_count_that_waits_says_its_number(client: TestClient) -> None:
    count_by_photo(client, 100, when=0)
    count_by_photo(client, 10, when=1, width=2)
    (waits,) = ok(client.get(f"{STOCK}/counts", params={"waiting": True}))["items"]
    assert (waits["waits_for"], waits["plants"]) == ("implausible_change", None)
    assert (waits["counted"], waits["counted_at_least"]) == (10, 10)


def test_a_line_without_a_later_count_shows_what_was_reported(client: TestClient) -> None:
    count_by_hand(client, 103, 0)
    report_movement(client, "plantar", 40, 3)
    report_movement(client, "plantar", 7, 11)  # after the period
    open_period(client, "P1", ends=10)
    line = period_line(client, "P1")
    assert (line["planted"], line["closing"], line["sales"]) == (40, None, None)
    period = ok(client.get(f"{PERIODS}/P1"))
    assert (period["sales"], period["unrecorded_sales"], period["lines_unknown"]) == (None, None, 1)
    traced = ok(
        client.get(
            f"{PERIODS}/P1/trace",
            params={"location_code": "A1", "product_code": "ECHEVERIA-01"},
        )
    )
    assert sum(m["quantity"] for m in traced["movements"]) == 40


def test_another_product_that_came_and_went_has_its_line(client: TestClient) -> None:
    count_by_hand(client, 103, 0)
    other = {"product_code": "MAMMILLARIA-01", "state": "SEEDLING"}
    report_movement(client, "plantar", 5, 2, **other)
    report_movement(client, "muerte", 5, 3, product_code="MAMMILLARIA-01")
    open_period(client, "P1", ends=10)
    lines = ok(client.get(f"{PERIODS}/P1"))["lines"]
    assert [(row["product_code"], row["planted"], row["dead"]) for row in lines] == [
        ("ECHEVERIA-01", 0, 0),
        ("MAMMILLARIA-01", 5, 5),
    ]


def test_a_sales_file_says_that_lines_are_not_known(client: TestClient) -> None:
    count_by_hand(client, 103, 0)
    open_period(client, "P1", ends=10)
    content = b"product_sku,packaging_sku,quantity_sold\nECHEVERIA-01,,5\n"
    compared = ok(client.post(f"{PERIODS}/P1/sales", files={"file": ("s.csv", content)}))
    assert [w["notice"]["code"] for w in compared["warnings"]] == ["sales_unknown"]


@pytest.mark.parametrize("hours", [0, 1])
def test_a_bed_is_known_from_its_first_count_on(client: TestClient, hours: int) -> None:
    count_by_hand(client, 3, 5)
    at = (day(5) - timedelta(hours=hours)).isoformat()
    assert stock(client, location="A1", at=at) == [("A1", None, 1) if hours else ("A1", 3, 0)]
