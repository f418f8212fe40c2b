"""Pages and API say what a number counts: plants, or occupied pots and cells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from demeter.vision.values import CountUnit
from support.ledgerapi import STOCK, as_julia, key, ok
from support.nursery import photo_count
from support.served import client, jpeg, record_answers, upload_session

__all__ = ["client"]

IN_SPANISH = {"accept": "text/html", "accept-language": "es"}
PLACES = "macetas o celdas ocupadas"


def counted(client: TestClient, unit: CountUnit, seed: int) -> str:
    session = upload_session(client, jpeg(seed), location_code="A1")
    record_answers(session, replace(photo_count((12, 0)), unit=unit))
    return session


def shown(client: TestClient, path: str) -> str:
    return client.get(path, headers=as_julia() | IN_SPANISH).text


@pytest.mark.parametrize("unit", list(CountUnit))
def test_a_bed_and_its_session_say_their_unit(client: TestClient, unit: CountUnit) -> None:
    session = counted(client, unit, 1)
    says_places = unit is CountUnit.CONTAINERS
    for path in ("/beds/A1", f"/sessions/{session}", f"/review/{session}"):
        assert (PLACES in shown(client, path)) is says_places, path
    assert ok(client.get(f"/api/v1/photos/sessions/{session}"))["unit"] == unit
    (count,) = ok(client.get("/api/v1/stock/counts"))["items"]
    assert count["unit"] == unit


def test_who_counts_by_hand_is_told_to_count_places(client: TestClient) -> None:
    assert "cada maceta o celda ocupada" not in shown(client, "/count/hand?bed=A1")
    counted(client, CountUnit.CONTAINERS, 1)
    assert "cada maceta o celda ocupada" in shown(client, "/count/hand?bed=A1")
    body = {"movement_id": key(), "location_code": "A1", "plants": 11}
    count_id = ok(client.post(f"{STOCK}/counts", json=body, headers=as_julia()))["count_id"]
    assert f"Anotadas: 11 {PLACES}" in shown(client, f"/count/hand?bed=A1&counted={count_id}")


def test_a_count_in_another_unit_waits_on_the_page_with_both_units(client: TestClient) -> None:
    counted(client, CountUnit.PLANTS, 1)
    session = counted(client, CountUnit.CONTAINERS, 2)
    page = shown(client, f"/review/{session}")
    assert f"La foto se contó en {PLACES}; el último conteo, en plantas." in page
    assert '/beds/A1#growing-title"' in page
    assert "otra unidad que antes" in shown(client, "/review")
    assert f"{PLACES}, antes plantas" in shown(client, "/")
