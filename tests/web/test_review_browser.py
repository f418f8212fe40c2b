"""The review in a real browser: decided by keyboard alone, and marks changed on the photo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from demeter.accounts.models import UserRole
from support.ledgerapi import count_by_photo, ok, on_hand, session_read
from support.nursery import SIDE, photo_count
from support.served import SESSIONS, client, jpeg, record_answers, send, upload_session
from support.signing_in import entrance, signed_in
from web.test_browser import browser, site

__all__ = ["browser", "client", "site"]

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def desk(browser: Browser, site: str) -> Iterator[Page]:
    """A supervisor at a desk; nothing goes wrong meanwhile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="es")
    page = context.new_page()
    page.goto(site + entrance("marta", UserRole.SUPERVISOR))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def waiting(client: TestClient, seed: int, answer, code: str = "A1") -> str:
    session = upload_session(client, jpeg(seed), location_code=code)
    record_answers(session, answer)
    return session


def decided(page: Page, keys: str, told: str) -> None:
    """Keys alone, and the next session is there with what became of this one."""
    before = page.locator("[data-review]").get_attribute("data-session")
    for key in keys.split():
        page.keyboard.press(key)
    expect(page.locator("[data-toast]")).to_contain_text(told)
    after = page.locator("[data-review]")
    assert after.count() == 0 or after.get_attribute("data-session") != before


def test_five_sessions_of_five_reasons_are_decided_by_keyboard_alone(
    client: TestClient, site: str, desk: Page
):
    count_by_photo(client, 100, when=0, width=2)
    sessions = [
        count_by_photo(client, 21, when=1, width=2),
        send(client, jpeg(91)).json()["session_id"],
        count_by_photo(client, 7, when=0, code="A3"),
        waiting(client, 92, replace(photo_count((12, 0)), plants_likelihood=0.1), "A2"),
        waiting(client, 93, photo_count((4, None), residual_share=0.4), "A2"),
    ]
    desk.goto(site + "/review")
    expect(desk.locator(".steps-nav b")).to_have_text("1 de 5")
    expect(desk.locator(".side a[href='/review'] .dot")).to_contain_text("5")
    decided(desk, "a", "Bed A1 aceptado")
    decided(desk, "1", "se está contando")
    decided(desk, "1", "dicho qué crece")
    decided(desk, "1", "quedó vacío")
    decided(desk, "d 2", "descartado")
    expect(desk.get_by_text("No queda nada por revisar")).to_be_visible()
    states = [session_read(client, session)["status"] for session in sessions]
    assert states == ["completed", "pending", "completed", "completed", "discarded"]
    desk.keyboard.press("z")
    expect(desk.locator("[data-toast]")).to_contain_text("decisión deshecha")
    assert session_read(client, sessions[-1])["reason_code"] == "estimate_unknown"


def marked(page: Page, site: str, session: str) -> None:
    page.goto(f"{site}/review/{session}")
    expect(page.locator("[data-stage]")).to_have_attribute("data-ready", "true")


def test_two_plants_are_added_and_one_removed_with_two_keys_each(
    client: TestClient, site: str, desk: Page
):
    session = waiting(client, 94, replace(photo_count((10, 0)), interval_90=(4, 15)))
    marked(desk, site, session)
    total = desk.locator("[data-sum]")
    for key, expected in (
        ("ArrowLeft", "10"),
        ("Delete", "10 \N{MINUS SIGN} 1 = 9"),
        ("p", "10"),
        ("Enter", "10"),
        ("p", "10 + 1 = 11"),
        ("Enter", "10 + 1 = 11"),
    ):
        desk.keyboard.press(key)
        expect(total).to_have_text(expected)
    expect(desk.locator("[data-interval]")).to_have_text("entre 5 y 16")
    desk.keyboard.press("z")
    expect(total).to_have_text("10")
    desk.keyboard.press("p")
    expect(total).to_have_text("10 + 1 = 11")
    desk.reload()
    expect(total).to_have_text("10 + 1 = 11")  # what is not saved yet is kept
    desk.keyboard.press("a")
    expect(desk.locator("[data-toast]")).to_contain_text("corregido y aceptado")
    read = session_read(client, session)
    assert (read["status"], read["total"], read["total_detected"]) == ("completed", 11, 10)
    assert on_hand(client) == 11
    kinds = ok(client.get(f"{SESSIONS}/{session}/corrections"))["corrections"]
    assert sorted(row["kind"] for row in kinds) == ["added", "added", "removed"]


def test_a_mark_is_added_by_a_click_and_moved_by_dragging(
    client: TestClient, site: str, desk: Page
):
    session = waiting(client, 95, replace(photo_count((10, 0)), interval_90=(4, 15)))
    marked(desk, site, session)
    box = desk.locator(".viewer").bounding_box()
    assert box
    scale = min(box["width"], box["height"]) / SIDE
    left = box["x"] + (box["width"] - SIDE * scale) / 2
    top = box["y"] + (box["height"] - SIDE * scale) / 2
    desk.locator("[data-tool=plant]").click()
    desk.mouse.click(left + 110 * scale, top + 110 * scale)
    expect(desk.locator("[data-sum]")).to_have_text("10 + 1 = 11")
    desk.locator("[data-tool=select]").click()
    desk.mouse.move(left + 110 * scale, top + 110 * scale)
    desk.mouse.down()
    desk.mouse.move(left + 150 * scale, top + 150 * scale, steps=4)
    desk.mouse.up()
    desk.locator("[data-tool=plant]").click()
    desk.mouse.click(left + 600 * scale, top + 600 * scale)
    expect(desk.locator("[data-edit-note]")).to_contain_text("no hay ningún contenedor")
    desk.keyboard.press("e")
    expect(desk.locator("[data-toast]")).to_contain_text("corregido")
    marks = ok(client.get(f"{SESSIONS}/{session}/corrections"))["marks"]
    (own,) = [mark for mark in marks if mark["detection_id"] is None]
    middle = [(own["box"][0] + own["box"][2]) / 2, (own["box"][1] + own["box"][3]) / 2]
    assert middle == pytest.approx([150, 150], abs=3 / scale)  # three pixels of the screen


def test_who_saves_second_keeps_the_changes_and_is_told_who_was_first(
    client: TestClient, site: str, desk: Page
):
    session = waiting(client, 96, replace(photo_count((10, 0)), plants_likelihood=0.1))
    marked(desk, site, session)
    desk.keyboard.press("p")
    expect(desk.locator("[data-sum]")).to_have_text("10 + 1 = 11")
    body = {"add": [{"box": [100, 100, 120, 120]}], "reason": "vi una más"}
    luis = signed_in("luis", UserRole.SUPERVISOR)
    ok(client.post(f"{SESSIONS}/{session}/corrections", json=body, headers=luis))
    desk.keyboard.press("a")
    note = desk.locator("[data-edit-note]")
    expect(note).to_contain_text(re.compile("Luis .* hace 1 min.*Sus cambios siguen aquí"))
    expect(desk.locator("[data-sum]")).to_have_text("10 + 2 = 12")
    desk.keyboard.press("a")
    expect(desk.locator("[data-toast]")).to_contain_text("corregido y aceptado")
    assert on_hand(client) == 12
