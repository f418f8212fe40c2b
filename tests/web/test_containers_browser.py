"""Containers drawn anew in a real browser, in Spanish, by keyboard alone and by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from support.ledgerapi import count_by_photo, ok, on_hand, session_read
from support.nursery import SIDE, photo_count
from support.served import SESSIONS, client
from web.test_browser import browser, site
from web.test_review_browser import desk, marked, waiting

__all__ = ["browser", "client", "desk", "site"]

pytestmark = pytest.mark.xdist_group("browser")


def told(page: Page):
    return page.locator("[data-says]")


def test_containers_are_changed_split_merged_and_recognised_by_keyboard_alone(
    client: TestClient, site: str, desk: Page
):
    count_by_photo(client, 8, when=0, width=2)
    answer = replace(photo_count((8, 0), (5, 0), (3, 0)), plants_likelihood=0.1)
    session = waiting(client, 71, answer)
    marked(desk, site, session)
    keys = desk.keyboard
    keys.press("t")
    expect(told(desk)).to_have_text("Contenedor 3 de 3: Segmento")
    keys.press("ArrowLeft")
    keys.press("Shift+Tab")
    expect(told(desk)).to_have_text("Contenedor 1 de 3: Segmento")
    keys.press("2")
    expect(told(desk)).to_have_text("Contenedor 1 de 3: Cajón")
    keys.press("b")
    expect(desk.locator("[data-bins-which]")).to_have_text("2 de marzo: contenedor 1")
    keys.press("Enter")
    keys.press("Tab")
    expect(told(desk)).to_have_text("Contenedor 2 de 3: Segmento")
    keys.press("m")
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(told(desk)).to_have_text("Contenedor 2 de 2: Segmento")
    keys.press("s")
    keys.press("Enter")
    expect(told(desk)).to_have_text("Contenedor 2 de 3: Segmento")
    keys.press("c")
    keys.press("Shift+ArrowLeft")
    keys.press("Escape")
    keys.press("5")
    expect(told(desk)).to_have_text("Contenedor 2 de 3: Maceta")
    keys.press("z")
    expect(told(desk)).to_have_text("Contenedor 2 de 3: Segmento")
    expect(desk.locator("[data-sum]")).to_have_text("16")
    desk.reload()
    expect(desk.locator("[data-stage]")).to_have_attribute("data-ready", "true")
    keys.press("a")
    expect(desk.locator("[data-toast]")).to_contain_text("corregido y aceptado")
    read = session_read(client, session)
    assert (read["status"], read["total"], on_hand(client)) == ("completed", 16, 16)
    shapes = ok(client.get(f"{SESSIONS}/{session}/containers"))
    assert [one["container_type"] for one in shapes["containers"]] == ["box", "segment", "segment"]
    assert (shapes["attempt"], shapes["containers"][0]["is_chosen"]) == (2, True)
    corners = shapes["containers"][1]["outline"]
    assert len({x for x, _ in corners}) == 3  # one went to the left


def test_a_corner_is_dragged_and_plants_outside_are_confirmed(
    client: TestClient, site: str, desk: Page
):
    answer = replace(photo_count((8, 0)), plants_likelihood=0.1)
    boxes = tuple(
        replace(box, xyxy_px=(20.0 + 20 * n, 100.0, 30.0 + 20 * n, 110.0))
        for n, box in enumerate(answer.detections)
    )
    session = waiting(client, 72, replace(answer, detections=boxes))
    marked(desk, site, session)
    desk.keyboard.press("c")
    corner = desk.locator(".handle.corner:not(.between)").nth(1)
    box, stage = corner.bounding_box(), desk.locator(".viewer").bounding_box()
    assert box
    assert stage
    scale = min(stage["width"], stage["height"]) / SIDE
    desk.mouse.move(box["x"] + 12, box["y"] + 12)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 12 - 160 * scale, box["y"] + 12, steps=4)
    desk.mouse.up()
    expect(desk.locator("[data-sum]")).not_to_have_text("8")
    desk.keyboard.press("a")
    expect(desk.locator("[data-edit-note]")).to_contain_text("fuera de todo contenedor")
    desk.keyboard.press("a")
    expect(desk.locator("[data-toast]")).to_contain_text("corregido y aceptado")
    read = session_read(client, session)
    assert (read["status"], read["total"] < 8) == ("completed", True)
    assert len(ok(client.get(f"{SESSIONS}/{session}/containers"))["outside"]) == 8 - read["total"]
