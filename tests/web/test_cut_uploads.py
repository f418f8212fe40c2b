"""The connection is cut at any step of an upload: a photo is in one session, or on the phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, Playwright, expect
from sqlalchemy import func, select

from demeter.core.db import transaction
from demeter.photos.models import Image, PhotoSession
from support.browsing import Site, driver, open_phone
from support.cutting_proxy import CuttingProxy
from support.served import client, jpeg
from support.signing_in import entrance

__all__ = ["client"]

pytestmark = pytest.mark.xdist_group("browser")
TRIES = 6  # while connections are cut


@pytest.fixture(scope="module")
def started() -> Iterator[Playwright]:
    with driver() as playwright:
        yield playwright


@pytest.fixture
def proxy(client: TestClient) -> Iterator[CuttingProxy]:
    site = Site()
    site.start()
    made = CuttingProxy(site.port)
    yield made
    made.close()
    site.stop()


@pytest.fixture
def page(started: Playwright, proxy: CuttingProxy, tmp_path: Path) -> Iterator[Page]:
    context = open_phone(started, tmp_path / "phone", permissions=[])
    opened = context.new_page()
    opened.goto(proxy.address + entrance("vera"))
    opened.goto(proxy.address + "/count?bed=A1")
    expect(opened.locator("[data-counting][data-ready]")).to_be_attached()
    yield opened
    context.close()


def queue_two(page: Page, seed: int, proxy: CuttingProxy) -> None:
    """Two photos in one delivery, chosen and sent; from the sending on connections are cut."""
    photos = [
        {"name": f"{seed}-{n}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(1000 + 2 * seed + n)}
        for n in range(2)
    ]
    page.locator(".cam-foot [data-gallery]").set_input_files(photos)
    expect(page.locator("[data-send]")).to_be_visible()
    proxy.go_wild(seed)
    page.locator("[data-send]").tap()
    expect(page.locator("[data-shutter]")).to_be_visible()


def on_phone(page: Page) -> int:
    return page.evaluate(
        """async () => (await demeterWaiting.store.all(demeterWaiting.person))
            .reduce((sum, each) => sum + each.pictures.length, 0)"""
    )


def send_now(page: Page) -> None:
    page.evaluate("demeterWaiting.send()")


def count_rows() -> tuple[int, int, int]:
    """Images, different ones, and sessions."""
    with transaction() as session:
        images = session.execute(
            select(func.count(), func.count(func.distinct(Image.sha256)))
        ).one()
        sessions = session.scalar(select(func.count()).select_from(PhotoSession))
        return images[0], images[1], sessions or 0


def survive_cuts(page: Page, proxy: CuttingProxy, seeds: range) -> None:
    for done, seed in enumerate(seeds):
        queue_two(page, seed, proxy)
        for _ in range(TRIES):
            send_now(page)
            images, _, sessions = count_rows()
            assert images + on_phone(page) >= 2 * (done + 1), f"seed {seed}: a photo is nowhere"
            assert sessions <= done + 1, f"seed {seed}: counted twice"
        proxy.wild = False
        send_now(page)
        expect(page.locator("[data-to-queue]")).to_be_hidden(timeout=30_000)
        assert count_rows() == (2 * (done + 1), 2 * (done + 1), done + 1), f"seed {seed}"
        page.locator("[data-change]").first.tap()
        page.locator("[data-bed-words]").fill("a1")
        page.locator("[data-bed-list] button").first.tap()


def test_photos_survive_cuts_at_any_step(page: Page, proxy: CuttingProxy) -> None:
    survive_cuts(page, proxy, range(3))
    assert proxy.cuts >= 3


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_photos_survive_fifty_histories_of_cuts(page: Page, proxy: CuttingProxy) -> None:
    survive_cuts(page, proxy, range(100, 150))
    assert proxy.cuts > 50
