"""Every page that a person can reach, looked at by axe: two sizes, two themes, two languages.

No violation, no error in the console, no request to another host, nothing wider than the
screen, and no word of the other language.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page
from sqlalchemy import text

from demeter.core.db import transaction
from demeter.demo import load
from demeter.web.navigation import PLACES
from support.nursery import photo_count
from support.served import client, jpeg, record_answers, send, upload_session
from support.signing_in import entrance
from web.test_browser import browser, fits, site
from web.test_spanish import foreign_words

__all__ = ["browser", "client", "site"]

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LOOK = """async (rules) => {
    const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    return found.violations.map(v => [v.id, ...v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]);
}"""
# What people typed, and what is said in the language of programs.
NAMES = (
    "Bed A3, not configured",
    "Cantero norte",
    "Cantero sur",
    "Cantero central",
    "Mesón de bandejas",
    "al mesón sur",
    "Asiento de suegra",
    "sin agua",
)
TALLEST = 4000  # pixels; a longer page is looked at where it begins
NOT_IN_ONE_LANGUAGE = ("/api/v1/docs", "/changes")


@pytest.fixture
def paths(client: TestClient) -> list[str]:
    """A nursery with a past and photos that wait, and every page about it."""
    with transaction() as session:
        load.load_nursery(session)
        load.load_past(session)
    waiting = [
        send(client, jpeg(1)).json()["session_id"],
        upload_session(client, jpeg(2), location_code="DEMO-C1"),
        upload_session(client, jpeg(3), location_code="DEMO-N3"),
        upload_session(client, jpeg(4), location_code="DEMO-S3"),
        upload_session(client, jpeg(5), location_code="DEMO-N4"),
    ]
    counted = upload_session(client, jpeg(6), location_code="DEMO-N1")
    under_way = upload_session(client, jpeg(7), location_code="DEMO-C2")
    for session_id in waiting[1:4]:
        record_answers(session_id, photo_count((3, 1), (2, 0)))
    record_answers(waiting[4], None)
    by_hand = {"movement_id": str(uuid4()), "location_code": "DEMO-C1", "plants": 40}
    said = client.post("/api/v1/stock/counts", json=by_hand).json()
    assert said["waits_for"] is not None
    record_answers(counted, photo_count((140, 0)))
    image = client.get(f"/api/v1/photos/sessions/{counted}").json()["images"][0]["image_id"]
    with transaction() as session:
        lot = session.scalar(
            text("SELECT id FROM stock_batches WHERE quantity_current > 0 ORDER BY id LIMIT 1")
        )
    return [
        *(place.path for place in PLACES),
        *(f"/review/{session_id}" for session_id in waiting),
        *(f"/sessions/{session_id}" for session_id in (*waiting, counted, under_way)),
        *(f"/beds/{code}" for code in ("DEMO-N1", "DEMO-C3", "DEMO-C1")),
        *(f"/beds/DEMO-N2/{act}" for act in ("deaths", "planting", "sale", "transplant")),
        *("/count?bed=DEMO-N2", "/count/hand?bed=DEMO-N2", "/sessions", "/me"),
        *("/stock?by=lot", "/stock/movements", f"/stock/lots/{lot}", f"/gallery/{image}"),
        *("/search?q=echev", "/imports", "/catalog/products", "/places/locations", "/labels"),
        *("/catalog/prices", "/evidence/sessions", "/review/counts", "/nowhere"),
    ]


class Looker:
    """A page in which each address is opened and looked at."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self._site, self._size = page, site, page.viewport_size
        self.faults: dict[str, list[Any]] = {}
        self._here = ""
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("console", lambda said: said.type == "error" and self._hear(said.text))
        page.on("request", lambda sent: self._see(sent.url))

    def look(self, path: str, language: str) -> None:
        self._here = path
        assert self._size is not None
        self.page.set_viewport_size(self._size)
        answer = self.page.goto(self._site + path)
        assert answer is not None
        if answer.status not in (200, 404 if path == "/nowhere" else 200):
            self._note(f"status {answer.status}")
            return
        if not fits(self.page):
            self._note("wider than the screen")
        self._unroll()
        self.page.evaluate(AXE.read_text())
        for violation in self.page.evaluate(LOOK, RULES):
            self._note(violation)
        if not path.startswith(NOT_IN_ONE_LANGUAGE):
            words = self.page.locator("body").inner_text()
            for name in NAMES:
                words = words.replace(name, "")
            for foreign in foreign_words(words, language):
                self._note(f"not {language}: {foreign}")

    def _unroll(self) -> None:
        """Show the whole page at once: what a bar covers now is there after a scroll."""
        assert self._size is not None
        tall = self.page.evaluate("document.documentElement.scrollHeight")
        height = min(max(self._size["height"], tall), TALLEST)
        self.page.set_viewport_size({"width": self._size["width"], "height": height})

    def _hear(self, said: str) -> None:
        if not ("status of 404" in said and self._here == "/nowhere"):
            self._note(said)

    def _see(self, url: str) -> None:
        if not url.startswith((self._site, "blob:", "data:")):
            self._note(f"asks another host: {url}")

    def _note(self, fault: Any) -> None:
        self.faults.setdefault(self._here, []).append(fault)


@pytest.mark.parametrize(
    ("size", "theme", "locale"),
    [
        pytest.param(PHONE, "dark", "es-AR", id="phone, dark, Spanish"),
        pytest.param(DESK, "light", "en-GB", id="desk, light, English", marks=pytest.mark.long),
        pytest.param(PHONE, "light", "en-GB", id="phone, light, English", marks=pytest.mark.long),
        pytest.param(DESK, "dark", "es-AR", id="desk, dark, Spanish", marks=pytest.mark.long),
    ],
)
def test_every_page_is_accessible_quiet_and_in_one_language(
    browser: Browser, site: str, paths: list[str], size, theme: str, locale: str
) -> None:
    assert AXE.exists(), "make setup-dev brings axe-core"
    is_phone = size is PHONE
    context = browser.new_context(
        viewport=size,
        locale=locale,
        color_scheme=theme,
        has_touch=is_phone,
        is_mobile=is_phone,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(site + entrance("vera"))
    looker = Looker(page, site)
    for path in dict.fromkeys(paths):
        looker.look(path, locale[:2])
    context.close()
    told = [f"{path}: {fault}" for path, faults in looker.faults.items() for fault in faults]
    assert not told, "\n".join(told)
