"""Prices: exact decimals, their days, and no two on one day."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from support.served import client
from support.signing_in import signed_in

__all__ = ["client"]
PRICES = "/api/v1/pricing/prices"


@pytest.fixture
def pot(client: TestClient) -> TestClient:
    """A client of a nursery with one pot."""
    made = client.post("/api/v1/catalog/packagings", json={"sku": "R5-D", "name": "Rígida 5"})
    assert made.status_code == 201
    return client


def add(client: TestClient, **fields: object):
    body = {"packaging_sku": "R5-D", "category_code": "CACTUS", "wholesale_unit_price": "950.1250"}
    return client.post(PRICES, json=body | fields)


def test_a_price_is_exact_and_its_days_are_its_own(pot: TestClient):
    first = add(pot, valid_from="2026-01-01", valid_to="2026-06-30")
    assert first.json()["wholesale_unit_price"] == "950.1250"
    assert first.json()["retail_unit_price"] is None
    overlap = add(pot, valid_from="2026-06-30")
    assert (overlap.status_code, overlap.json()["code"]) == (409, "price_overlaps")
    assert overlap.json()["price_id"] == first.json()["id"]
    assert add(pot, valid_from="2026-07-01").status_code == 201
    assert add(pot, category_code="SUCCULENT", valid_from="2026-01-01").status_code == 201
    longer = pot.patch(f"{PRICES}/{first.json()['id']}", json={"valid_to": None})
    assert longer.json()["code"] == "price_overlaps"


def test_a_price_is_ended_and_renewed(pot: TestClient):
    price = add(pot, valid_from="2026-01-01").json()
    ended = pot.post(f"{PRICES}/{price['id']}/deactivate").json()
    assert ended["valid_to"] is not None
    assert pot.post(f"{PRICES}/{price['id']}/activate").json()["valid_to"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"wholesale_unit_price": "1.00001"},
        {"wholesale_unit_price": -1},
        {"wholesale_unit_price": "1,5"},
        {"valid_from": "2026-02-30"},
        {"valid_from": "2026-02-02", "valid_to": "2026-02-01"},
        {"discount_factor": "1.5"},
        {"unit_per_storage_box": 0},
    ],
)
def test_what_is_no_price_is_refused(pot: TestClient, fields: dict[str, object]):
    assert add(pot, **fields).status_code == 422


def test_a_supervisor_sets_prices_and_a_worker_reads_them(pot: TestClient):
    body = {"packaging_sku": "R5-D", "category_code": "CACTUS", "wholesale_unit_price": 950}
    worker = signed_in("luis", UserRole.WORKER)
    assert pot.post(PRICES, json=body, headers=worker).status_code == 403
    supervisor = signed_in("marta", UserRole.SUPERVISOR)
    assert pot.post(PRICES, json=body, headers=supervisor).status_code == 201
    assert len(pot.get(PRICES, headers=worker).json()["items"]) == 1
