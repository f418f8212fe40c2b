"""A query parameter that a route does not know is refused, on every route."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from support.ledgerapi import STOCK, key, ok
from support.served import client

__all__ = ["client"]

PARTS = {
    "session_id": key(),
    "movement_id": key(),
    "image_id": key(),
    "count_id": "1",
    "code": "2026-03",
    "kind": "pdf",
    "variant": "view",
    "place_code": "NAVE1",
    "batch_code": "X",
    "location_code": "A1",
    "username": "ana",
    "token_id": "1",
    "key": "1",
    "import_id": "1",
    "name": "X",
    "upload_id": key(),
    "position": "1",
    "webhook_id": "1",
    "delivery_id": "1",
}
PAGES = [
    "/",
    "/count",
    "/sessions",
    "/search",
    "/stock",
    "/stock/movements",
    "/parts/sessions",
    "/parts/counting",
    "/parts/locations",
    f"/sessions/{key()}",
    "/api/v1/docs",
]


def test_every_route_refuses_what_it_does_not_know(client: TestClient) -> None:
    document = ok(client.get("/api/v1/openapi.json"))
    addresses = [
        (method, re.sub(r"{(\w+)}", lambda part: PARTS[part[1]], path))
        for path, operations in document["paths"].items()
        for method in operations
    ]
    assert len(addresses) > 50
    for method, path in [*addresses, *(("get", page) for page in PAGES)]:
        refused = client.request(method, path, params={"nonsense": "1"})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter"), path
        assert refused.json()["parameters"] == ["nonsense"]
        assert "nonsense" in refused.json()["detail"]


def test_a_filter_that_is_misspelt_is_named_with_those_that_are_known(client: TestClient) -> None:
    refused = client.get(f"{STOCK}/movements", params={"locationcode": "A1"}).json()
    assert "'locationcode' (perhaps location_code)" in refused["detail"]
    assert refused["known"] == ["batch_code", "cursor", "limit", "location_code", "movement_type"]


def test_filters_are_called_alike_and_old_names_still_serve(client: TestClient) -> None:
    body = {"movement_type": "plantar", "location_code": "A1", "quantity": 5}
    ok(client.post(f"{STOCK}/movements", json=body | {"movement_id": key()}))
    for name in ("location_code", "location"):
        rows = ok(client.get(f"{STOCK}/on-hand", params={"by": "location", name: "A1"}))
        assert [row["plants"] for row in rows] == [5]
        (unknown,) = ok(client.get(f"{STOCK}/on-hand", params={"by": "location", name: "A2"}))
        assert unknown["plants"] is None
    both = client.get(f"{STOCK}/on-hand", params={"location_code": "A1", "location": "A2"})
    assert (both.status_code, both.json()["code"]) == (422, "invalid_input")
