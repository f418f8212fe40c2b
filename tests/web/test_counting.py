"""Counting with a phone: two taps a bed, no connection, a closed browser, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from sqlalchemy import delete, select, update

from demeter.accounts.models import LoginSession
from demeter.core.db import transaction
from demeter.locations.models import StorageLocation
from demeter.photos.models import Image, PhotoSession
from support.browsing import Site, driver, open_phone
from support.served import client, jpeg, row_count
from support.signing_in import entrance

__all__ = ["client"]

pytestmark = pytest.mark.xdist_group("browser")
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def started() -> Iterator[Playwright]:
    with driver() as playwright:
        yield playwright


@pytest.fixture
def site(client: TestClient) -> Iterator[Site]:
    served = Site()
    served.start()
    yield served
    served.stop()


Opener = Callable[[], BrowserContext]


@pytest.fixture
def open_browser(started: Playwright, site: Site, tmp_path: Path) -> Iterator[Opener]:
    """The same phone each time: what it keeps outlives its browser."""
    opened: list[BrowserContext] = []

    def open_it() -> BrowserContext:
        opened.append(open_phone(started, tmp_path / "phone"))
        return opened[-1]

    yield open_it
    for context in opened:
        context.close()


@pytest.fixture
def phone(open_browser: Opener, site: Site) -> BrowserContext:
    """A phone with Vera signed in."""
    context = open_browser()
    context.new_page().goto(site.address + entrance("vera"))
    return context


def count_page(context: BrowserContext, site: Site, query: str = "") -> Page:
    page = context.pages[-1]
    page.goto(f"{site.address}/count{query}")
    expect(page.locator("[data-counting][data-ready]")).to_be_attached()
    return page


class Tapping:
    """Taps, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, selector: str) -> None:
        self.taps += 1
        self.page.locator(selector).first.tap()


def photograph(page: Page) -> int:
    """A photo of the bed that is offered, sent; how many taps that took."""
    tapping = Tapping(page)
    expect(page.locator("[data-shutter]")).to_be_enabled()
    tapping.tap("[data-shutter]")
    expect(page.locator("[data-send]")).to_be_visible()
    tapping.tap("[data-send]")
    expect(page.locator("[data-shutter]")).to_be_visible()
    return tapping.taps


def beds() -> list[str | None]:
    with transaction() as session:
        query = select(PhotoSession.requested_location_code).order_by(PhotoSession.id)
        return list(session.scalars(query))


def until_beds(page: Page, wanted: list[str]) -> None:
    for _ in range(60):
        if beds() == wanted:
            return
        page.wait_for_timeout(250)
    assert beds() == wanted


REGISTRATION = """async () => {
  const found = await navigator.serviceWorker.getRegistration();
  const states = ["installing", "waiting", "active"].map((name) => [name, found?.[name]?.state]);
  return JSON.stringify(found ? Object.fromEntries(states) : null);
}"""


def until_kept(page: Page) -> None:
    """The service worker has what it needs, and this page is under it."""
    for _ in range(240):  # the page's policy lets nobody wait for a function in it
        if page.evaluate("navigator.serviceWorker.controller !== null"):
            return
        page.wait_for_timeout(250)
    pytest.fail(f"no service worker: {page.evaluate(REGISTRATION)}")


def test_a_bed_after_the_first_takes_two_taps_and_the_next_is_offered(
    phone: BrowserContext, site: Site
) -> None:
    faults: list[str] = []
    phone.on("weberror", lambda error: faults.append(str(error.error)))
    page = count_page(phone, site, "?bed=A1")
    expect(page.locator(".cam [data-bed-name]")).to_have_text("Bed A1")
    photograph(page)
    expect(page.locator(".cam [data-bed-name]")).to_have_text("Bed A2")
    assert photograph(page) == 2
    until_beds(page, ["A1", "A2"])
    expect(page.locator("[data-to-queue]")).to_be_hidden()
    assert faults == []


def test_photos_without_a_connection_outlive_a_reload_and_the_browser(
    phone: BrowserContext, open_browser: Opener, site: Site
) -> None:
    page = count_page(phone, site, "?bed=A1")
    until_kept(page)
    phone.set_offline(True)
    site.stop()
    photograph(page)
    expect(page.locator("[data-to-queue]")).to_contain_text("1 foto aún en el teléfono")
    page.reload()
    expect(page.locator("[data-counting][data-ready]")).to_be_attached()
    expect(page.locator("[data-to-queue]")).to_contain_text("1 foto aún en el teléfono")
    expect(page.locator(".cam [data-bed-name]")).to_have_text("Bed A1")  # as the address asks
    page.locator(".cam [data-change]").tap()
    page.locator("[data-bed-words]").fill("bed a2")
    page.locator("[data-bed-list] button").first.tap()
    photograph(page)
    expect(page.locator("[data-to-queue]")).to_contain_text("2 fotos aún en el teléfono")
    phone.close()
    phone = open_browser()
    page = phone.new_page()
    page.goto(f"{site.address}/count")
    expect(page.locator("[data-to-queue]")).to_contain_text("2 fotos aún en el teléfono")
    assert row_count(Image) == 0
    site.start()
    page.reload()
    until_beds(page, ["A1", "A2"])
    expect(page.locator("[data-to-queue]")).to_be_hidden()
    assert row_count(Image) == 2


def test_who_must_sign_in_again_loses_no_photo(phone: BrowserContext, site: Site) -> None:
    page = count_page(phone, site, "?bed=A1")
    with transaction() as session:
        session.execute(delete(LoginSession))
    photograph(page)
    expect(page.locator("[data-to-queue]")).to_have_text("Entre otra vez para enviar 1 foto")
    page.goto(site.address + entrance("rosa"))  # somebody else: it is not theirs
    expect(page.locator(".bar [data-waiting]")).to_be_hidden()
    count_page(phone, site)
    expect(page.locator("[data-to-queue]")).to_be_hidden()
    assert beds() == []
    page.goto(site.address + entrance("vera"))
    until_beds(page, ["A1"])
    expect(page.locator(".bar [data-waiting]")).to_be_hidden()


def test_a_refused_photo_stays_until_a_person_decides(phone: BrowserContext, site: Site) -> None:
    page = count_page(phone, site, "?bed=A2")
    with transaction() as session:
        session.execute(
            update(StorageLocation).where(StorageLocation.code == "A2").values(active=False)
        )
    photograph(page)
    page.locator("[data-to-queue]").tap()
    card = page.locator("[data-refused]")
    expect(card).to_contain_text("Bed A2: no se aceptó")
    page.reload()
    expect(page.locator("[data-to-queue]")).to_contain_text("1 foto aún en el teléfono")
    page.locator("[data-to-queue]").tap()
    card.locator("button").first.tap()
    page.locator("[data-bed-words]").fill("a1")
    page.locator("[data-bed-list] button").first.tap()
    until_beds(page, ["A1"])
    expect(card).to_have_count(0)


def test_two_pages_send_a_photo_once(phone: BrowserContext, site: Site) -> None:
    page = count_page(phone, site, "?bed=A1")
    other = phone.new_page()
    other.goto(f"{site.address}/count")
    phone.set_offline(True)
    page.bring_to_front()
    photograph(page)
    finished: list[str] = []
    phone.on(
        "request",
        lambda sent: finished.append(sent.url) if sent.url.endswith("/finish") else None,
    )
    phone.set_offline(False)
    until_beds(page, ["A1"])
    assert len(finished) == 1


def test_a_phone_without_a_camera_takes_photos_of_the_gallery(
    started: Playwright, site: Site, tmp_path: Path
) -> None:
    context = open_phone(started, tmp_path / "blind", permissions=[])
    context.add_init_script("delete Navigator.prototype.mediaDevices")
    page = context.new_page()
    page.goto(site.address + entrance("vera"))
    count_page(context, site, "?bed=A1")
    expect(page.locator("[data-denied]")).to_be_visible()
    photo = {"name": "bed.jpg", "mimeType": "image/jpeg", "buffer": jpeg(1)}
    page.locator("[data-denied] [data-gallery]").first.set_input_files([photo])
    page.locator("[data-send]").tap()
    until_beds(page, ["A1"])
    page.locator("[data-denied] [data-gallery]").first.set_input_files([photo])
    expect(page.locator("[data-known]")).to_contain_text("ya estaba: Bed A1")
    context.close()
