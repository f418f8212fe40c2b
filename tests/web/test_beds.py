"""The list of beds: their state in the month's round, filters, the next bed, and its card."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, text

from demeter.accounts.models import UserRole
from demeter.core import db
from demeter.core.db import transaction
from support.ledgerapi import as_julia, count_by_photo, key, ok
from support.served import client
from support.signing_in import signed_in
from web.test_bed import page

__all__ = ["client"]

NOW = datetime.now(UTC)


def count_now(client: TestClient, code: str, plants: int = 40, days_ago: float = 0.0) -> None:
    """A person counted it then; the first days of a month are still that month."""
    body = {
        "movement_id": key(),
        "location_code": code,
        "plants": plants,
        "occurred_at": (NOW - timedelta(days=days_ago)).isoformat(),
    }
    ok(client.post("/api/v1/stock/counts", json=body, headers=as_julia()))


def tiles(shown: str) -> dict[str, str]:
    """The letter of each bed's state, by its code."""
    return {code: state for state, code in re.findall(r'class="bt (\w)" href="/beds/(\w+)"', shown)}


def add_beds(sql_values: str) -> None:
    with transaction() as session:
        session.execute(
            text(f"""
            INSERT INTO storage_locations
                (storage_area_id, code, name, location_type, walk_order, geojson_coordinates)
            SELECT storage_area_id, b.code, b.name, 'growing_bed', b.walk, NULL
            FROM storage_areas, (VALUES {sql_values}) AS b (code, name, walk)
            WHERE storage_areas.code = 'NORTH'
            """)
        )


def test_each_bed_says_where_it_stands_in_the_round(client: TestClient) -> None:
    add_beds("('B1', 'Claro 7', 7)")
    count_now(client, "A1")
    count_now(client, "A2", days_ago=40)
    count_by_photo(client, 400, when=1, code="B1")
    shown = page(client, "/beds")
    assert tiles(shown) == {"A1": "c", "A2": "m", "A3": "n", "B1": "w"}
    assert (
        'aria-label="Claro 7, espera a una persona"><span aria-hidden="true">7</span></a>' in shown
    )
    for pick in ("Todos 4", "Faltan este mes 1", "Esperan 1", "Nunca contados 1"):
        assert pick in shown
    assert "80</b>" in shown
    assert "1 claro sin contar no está" in shown or "2 claros sin contar no están" in shown


def test_the_round_goes_on_behind_the_bed_counted_last(client: TestClient) -> None:
    with transaction() as session:
        for order, code in enumerate(("A1", "A2", "A3")):
            session.execute(
                text("UPDATE storage_locations SET walk_order = :order WHERE code = :code"),
                {"order": order, "code": code},
            )
    assert 'href="/count?bed=A1"' in page(client, "/beds")
    count_now(client, "A2")
    assert 'href="/count?bed=A3"' in page(client, "/beds")
    count_now(client, "A3")
    assert 'href="/count?bed=A1"' in page(client, "/beds")
    count_now(client, "A1")
    assert "/count?bed" not in page(client, "/beds")


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", {"A1", "A2", "A3"}),
        ("warehouse=NAVE1", {"A1", "A2", "A3"}),
        ("warehouse=NAVE9", set()),
        ("only=counted", {"A1"}),
        ("only=never", {"A2", "A3"}),
        ("product=ECHEVERIA-01", {"A1", "A2"}),
        ("text=a2", {"A2"}),
        ("text=n1+2", {"A2"}),
        ("text=ECHEV", {"A1", "A2"}),
        ("text=n1+configured", {"A3"}),
        ("text=%25", {"A1", "A2", "A3"}),
        ("product=ECHEVERIA-01&only=never", {"A2"}),
    ],
)
def test_beds_are_found_by_place_product_state_and_name(
    client: TestClient, query: str, codes: set[str]
) -> None:
    count_now(client, "A1")
    shown = page(client, f"/beds?{query}")
    assert set(tiles(shown)) == codes
    assert ("Ningún claro es así" in shown) == (not codes)


def test_short_forms_and_accents_find_a_bed(client: TestClient) -> None:
    add_beds("('B1', 'Claro 8', 8), ('B2', 'Claro 18', 18), ('B3', 'Último claro', 19)")
    assert set(tiles(page(client, "/beds?text=n1+north+8"))) == {"B1"}
    assert set(tiles(page(client, "/beds?text=ultimo"))) == {"B3"}


def test_the_card_follows_with_what_is_known(client: TestClient) -> None:
    count_now(client, "A1", 125)
    part = page(client, "/beds/A1/card")
    assert "<html" not in part
    for told in ("125", "Echeveria", "contado este mes", 'href="/beds/A1"'):
        assert told in part


def test_a_viewer_is_offered_no_count(client: TestClient) -> None:
    assert "/count?bed" not in page(client, "/beds", signed_in("vito", UserRole.VIEWER))


def test_a_nursery_without_beds_is_told_what_comes_first(client: TestClient) -> None:
    with transaction() as session:
        session.execute(text("UPDATE storage_locations SET active = false"))
    assert "Todavía no hay claros" in page(client, "/beds")


def test_many_beds_take_no_more_statements_than_few(client: TestClient) -> None:
    def statements() -> int:
        seen: list[Any] = []

        def note(*arguments: Any) -> None:
            seen.append(arguments[2])

        event.listen(db.engine(), "before_cursor_execute", note)
        page(client, "/beds")
        event.remove(db.engine(), "before_cursor_execute", note)
        return len(seen)

    statements()  # the first says that the token was used
    few = statements()
    add_beds(", ".join(f"('M{n:04d}', 'Claro {n}', {n})" for n in range(1290)))
    assert statements() == few
