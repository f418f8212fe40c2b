"""The inventory, a lot's life and the list of movements, as people read and undo them."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from support.ledgerapi import STOCK, count_by_hand, count_by_photo, ok, report_movement
from support.ledgersteps import day, supervisor
from support.served import client
from support.signing_in import signed_in
from support.workbooks import rows_of

__all__ = ["client"]


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> None:
    """Counts by hand that decide are a supervisor's."""
    del client
    with transaction() as session:
        supervisor(session)


def page(client: TestClient, path: str, role: UserRole | None = None, language: str = "es") -> str:
    headers = {"accept": "text/html", "accept-language": language}
    answer = client.get(path, headers=headers | (signed_in(f"a-{role}", role) if role else {}))
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def figure(shown: str) -> str:
    found = re.search(r'<p class="fig"> ?([^<]+?) <small>', shown)
    assert found
    return found[1]


def test_an_empty_stock_teaches_and_a_filter_without_rows_can_be_taken_off(client: TestClient):
    shown = page(client, "/stock?by=lot")
    assert "Todavía no hay nada en el inventario." in shown
    assert figure(shown) == "—"
    narrow = page(client, "/stock?q=zzz&state=ADULT&by=lot")
    assert "Nada coincide" in narrow
    assert 'aria-label="Quitar: «zzz»"' in narrow
    assert 'href="/stock?by=lot&state=ADULT"' in narrow


def test_the_total_says_which_beds_it_leaves_out(client: TestClient):
    count_by_hand(client, 1234, 0)
    shown = page(client, "/stock")
    assert figure(shown) == "1.234"
    assert "en 1 claro · " in shown
    assert "2 claros sin contar no están en el total" in shown


def test_a_number_leads_to_its_lot_its_movement_and_its_photo(client: TestClient):
    session_id = count_by_photo(client, 60, when=0)
    stock = page(client, "/stock")
    (lots,) = set(re.findall(r'class="n main-n"><a href="([^"]+)">60</a>', stock))
    (lot,) = set(re.findall(r'class="n main-n"><a href="([^"]+)">60</a>', page(client, lots)))
    life = page(client, lot)
    assert f'href="/sessions/{session_id}">Conteo por foto</a>' in life


def test_a_past_day_stands_in_a_banner_and_an_unreadable_one_is_said(client: TestClient):
    count_by_hand(client, 100, 0)
    report_movement(client, "muerte", 30, 2)
    shown = page(client, f"/stock?at={day(1).date()}")
    assert figure(shown) == "100"
    assert "Así estaba el 03/03/2026" in shown
    assert figure(page(client, "/stock")) == "70"
    refused = page(client, "/stock?at=ayer")
    assert 'role="alert"' in refused
    assert "Así estaba" not in refused


@pytest.mark.parametrize("by", ["product", "place", "packaging", "state", "lot"])
def test_what_is_exported_is_what_is_shown(client: TestClient, by: str):
    count_by_hand(client, 100, 0)
    count_by_hand(client, 40, 0, "A2")
    query = f"by={by}&place=A2"
    answer = client.get(f"/stock/export.xlsx?{query}", headers={"accept-language": "es"})
    (name,) = re.findall(r'filename="(.+)\.xlsx"', answer.headers["content-disposition"])
    heading, *rows = rows_of(answer.content, name)
    assert heading[-1] == "Plantas"
    assert [row[-1] for row in rows if row[-1]] == [40]
    csv = client.get(f"/stock/export.csv?{query}", headers={"accept-language": "en"})
    assert csv.content.decode("utf-8-sig").splitlines()[0].endswith("Last count,Plants")
    assert figure(page(client, f"/stock?{query}")) == "40"


def movement_of(client: TestClient, kind: str) -> Any:
    rows = ok(client.get(f"{STOCK}/movements", params={"movement_type": kind}))["items"]
    return rows[0]


def test_movements_are_narrowed_by_each_filter(client: TestClient):
    count_by_hand(client, 100, 0)
    count_by_hand(client, 40, 0, "A2")
    report_movement(client, "muerte", 3, 2)

    def listed(query: str) -> int:
        return page(client, f"/stock/movements?{query}").count('class="dot-icon')

    assert listed("") == 3
    assert listed("type=muerte") == 1
    assert listed("place=A2") == 1
    assert listed("place=NAVE1&product=ECHEVERIA-01") == 3
    assert listed(f"since={day(1).date()}") == 1
    assert listed(f"until={day(1).date()}") == 2
    assert listed("person=nobody") == 0
    assert 'role="alert"' in page(client, "/stock/movements?since=mañana")
    csv = client.get("/stock/movements/export.csv?type=muerte", headers={"accept-language": "es"})
    lines = csv.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "Muerte,-3" in lines[1]


def test_a_movement_is_undone_from_the_list_once(client: TestClient):
    count_by_hand(client, 100, 0)
    report_movement(client, "muerte", 3, 2)
    movement = movement_of(client, "muerte")
    path = f"/stock/movements/{movement['movement_id']}/undo"
    assert path in page(client, "/stock/movements")
    form = {"key": str(uuid4()), "reason": "error", "back": "/stock/movements?type=muerte"}
    for _ in range(2):  # a form that is sent twice has one effect
        answer = client.post(path, data=form, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/stock/movements?type=muerte"
    assert figure(page(client, "/stock")) == "100"
    shown = page(client, "/stock/movements?type=muerte")
    assert shown.count('class="dot-icon') == 2
    assert path not in shown
    again = client.post(path, data=form | {"key": str(uuid4())}, headers={"accept": "text/html"})
    assert again.status_code == 409
    assert client.post(path, data=form | {"reason": ""}).status_code >= 400


def test_only_what_may_be_undone_has_a_button(client: TestClient):
    count_by_hand(client, 100, 0)
    report_movement(client, "muerte", 3, 2)
    lot = ok(client.get(f"{STOCK}/inventory", params={"by": "lot"}))["rows"][0]["lot_id"]
    for path in ("/stock/movements", f"/stock/lots/{lot}"):
        buttons = {role: page(client, path, role).count("/undo") for role in UserRole}
        assert buttons == {
            UserRole.ADMIN: 1,
            UserRole.SUPERVISOR: 1,
            UserRole.WORKER: 0,  # somebody else reported it
            UserRole.VIEWER: 0,
        }


def test_a_lot_that_is_not_there_is_a_page(client: TestClient):
    answer = client.get("/stock/lots/99999", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "<html" in answer.text
