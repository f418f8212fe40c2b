"""Beds in a real browser: reports by tap, the toast that undoes, tiles by arrow keys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from support.ledgerapi import as_julia, key, ok, on_hand
from support.served import client
from web.test_browser import Visit, browser, site, visit

__all__ = ["browser", "client", "site", "visit"]

pytestmark = pytest.mark.xdist_group("browser")


def count_now(client: TestClient, code: str, plants: int) -> None:
    body = {
        "movement_id": key(),
        "location_code": code,
        "plants": plants,
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    ok(client.post("/api/v1/stock/counts", json=body, headers=as_julia()))


def test_five_deaths_are_three_taps_and_one_more_undoes_them(
    client: TestClient, visit: Visit
) -> None:
    count_now(client, "A1", 96)
    page = visit.go("/beds/A1")
    page.locator("a[href$='/deaths']").click()
    page.locator("[data-offer='5']").click()
    outcome = page.locator("dialog [data-outcome]")
    expect(outcome).to_contain_text("96→91")
    assert on_hand(client) == 96
    page.locator("dialog [data-write]").click()
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text("5")
    assert on_hand(client) == 91
    toast.get_by_role("button").click()
    expect(page.locator(".fig.x")).to_contain_text("96")
    assert on_hand(client) == 96
    assert (visit.faults, visit.foreign) == ([], [])


def test_a_refusal_stays_in_the_sheet_and_escape_closes_it(
    client: TestClient, visit: Visit
) -> None:
    count_now(client, "A1", 3)
    page = visit.go("/beds/A1")
    page.locator("a[href$='/deaths']").focus()
    page.keyboard.press("Enter")
    page.locator("dialog #quantity").fill("10")
    expect(page.locator("dialog [role=alert]")).to_contain_text("3")
    page.keyboard.press("Enter")
    expect(page.locator("dialog [role=alert]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sheet")).not_to_be_visible()
    assert on_hand(client) == 3


def test_arrows_move_over_the_tiles_and_enter_opens_the_bed(
    client: TestClient, visit: Visit
) -> None:
    count_now(client, "A2", 125)
    page = visit.go("/beds")
    if page.viewport_size and page.viewport_size["width"] < 960:
        expect(page.locator("[data-tiles]")).not_to_be_visible()
        page.locator(".bed-rows a", has_text="Bed A2").click()
    else:
        page.locator("a.bt").first.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-bed-card] h2")).to_have_text("Bed A2")
        expect(page.locator("[data-bed-card] .fig")).to_contain_text("125")
        page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.site}/beds/A2")
    expect(page.locator(".fig.x")).to_contain_text("125")
    assert (visit.faults, visit.foreign) == ([], [])
