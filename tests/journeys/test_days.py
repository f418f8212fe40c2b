"""A worker's day and a supervisor's morning, walked in a browser: taps and keys are counted.

Each step leaves a picture in the test's own folder, or in the one that PICTURES names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect
from sqlalchemy import select

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.photos.models import Image, PhotoSession
from support.browsing import Site, driver, open_phone
from support.ledgerapi import count_by_hand, count_by_photo, ok, on_hand, session_read
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, row_count, send, upload_session
from support.signing_in import entrance

__all__ = ["client"]

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]
expect.set_options(timeout=15_000)

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}, "is_mobile": False, "has_touch": False}
SPANISH, ENGLISH = {"locale": "es-AR"}, {"locale": "en-GB"}


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


@dataclass
class Person:
    """Somebody with a browser of their own, which outlives being closed."""

    open: Callable[[], BrowserContext]
    site: Site
    pictures: Path
    is_touching: bool
    taps: int = 0
    faults: list[str] = field(default_factory=list)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.come_back()

    def come_back(self) -> None:
        """Open the browser, perhaps again."""
        self.context = self.open()
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.page = self.context.new_page()

    def go(self, path: str) -> None:
        self.page.goto(self.site.address + path)

    def tap(self, what: str | Locator) -> None:
        """One tap, or one click."""
        place = self.page.locator(what).first if isinstance(what, str) else what
        self.taps += 1
        if self.is_touching:
            place.tap()
        else:
            place.click()

    def key(self, name: str) -> None:
        self.taps += 1
        self.page.keyboard.press(name)

    def keep(self, name: str) -> None:
        """A picture of what is seen now."""
        self.page.wait_for_load_state()
        assert self.page.evaluate("visualViewport.scale") >= 1, "the page is wider than the screen"
        self.page.screenshot(path=self.pictures / f"{name}.png")

    def since(self, before: int) -> int:
        return self.taps - before


@pytest.fixture
def person(
    request: pytest.FixtureRequest, started: Playwright, site: Site, tmp_path: Path
) -> Iterator[Person]:
    options = request.param
    kept = os.environ.get("PICTURES")
    pictures = Path(kept or tmp_path) / request.node.name.replace("/", "-")
    pictures.mkdir(parents=True, exist_ok=True)
    opened: list[BrowserContext] = []

    def open_it() -> BrowserContext:
        opened.append(open_phone(started, tmp_path / "browser", **options))
        return opened[-1]

    yield Person(open_it, site, pictures, options["has_touch"])
    for context in opened:
        with suppress(Exception):  # one that was closed in the walk
            context.close()


def walks(*, in_ci: tuple[dict, dict]):
    """Both sizes in both languages; all but one of them are long."""
    return pytest.mark.parametrize(
        "person",
        [
            pytest.param(
                {**size, **language},
                id=f"{size['viewport']['width']}-{language['locale'][:2]}",
                marks=[] if (size, language) == in_ci else [pytest.mark.long],
            )
            for size in (PHONE, DESK)
            for language in (SPANISH, ENGLISH)
        ],
        indirect=True,
    )


def beds_sent() -> list[str | None]:
    with transaction() as session:
        query = select(PhotoSession.requested_location_code).order_by(PhotoSession.id)
        return list(session.scalars(query))


def until_sent(page: Page, wanted: list[str]) -> None:
    for _ in range(80):
        if beds_sent() == wanted:
            return
        page.wait_for_timeout(250)
    assert beds_sent() == wanted


def photograph(person: Person, bed: str) -> int:
    """The bed that is offered, taken and sent; how many taps that took."""
    page, before = person.page, person.taps
    if page.locator("[data-shutter]").is_visible():
        expect(page.locator(".cam [data-bed-name]")).to_have_text(bed)
        expect(page.locator("[data-shutter]")).to_be_enabled()
        person.tap("[data-shutter]")
        expect(page.locator("[data-send]")).to_be_visible()
        person.tap("[data-send]")
        expect(page.locator("[data-shutter]")).to_be_visible()
    return person.since(before)


def until_kept(page: Page) -> None:
    """The service worker has what it needs, and this page is under it."""
    for _ in range(240):  # the page's policy lets nobody wait for a function in it
        if page.evaluate("navigator.serviceWorker.controller !== null"):
            return
        page.wait_for_timeout(250)
    pytest.fail("no service worker")


@pytest.mark.parametrize(
    "person",
    [
        pytest.param({**PHONE, **SPANISH}, id="390-es"),
        pytest.param({**PHONE, **ENGLISH}, id="390-en", marks=pytest.mark.long),
    ],
    indirect=True,
)
def test_three_beds_in_a_row_two_of_them_without_a_connection(
    client: TestClient, person: Person, site: Site
) -> None:
    person.go(entrance("vera", UserRole.WORKER))
    person.keep("1-today")
    person.tap(".next-bed a.primary")
    page = person.page
    expect(page.locator("[data-counting][data-ready]")).to_be_attached()
    person.keep("2-camera")
    assert photograph(person, "Bed A1") == 2
    until_sent(page, ["A1"])
    until_kept(page)
    person.context.set_offline(True)
    site.stop()
    assert photograph(person, "Bed A2") == 2
    expect(page.locator("[data-to-queue]")).to_contain_text("1")
    person.keep("3-on-the-phone")
    page.reload()
    expect(page.locator("[data-counting][data-ready]")).to_be_attached()
    expect(page.locator("[data-to-queue]")).to_contain_text("1")
    person.context.close()
    person.come_back()
    page = person.page
    person.context.set_offline(True)
    person.go("/count?bed=A3")
    expect(page.locator("[data-counting][data-ready]")).to_be_attached()
    assert photograph(person, "Bed A3, not configured") == 2
    expect(page.locator("[data-to-queue]")).to_contain_text("2")
    person.keep("4-two-on-the-phone")
    assert row_count(Image) == 1
    site.start()
    person.context.set_offline(False)
    page.reload()
    until_sent(page, ["A1", "A2", "A3"])
    expect(page.locator("[data-to-queue]")).to_be_hidden()
    person.keep("5-all-sent")
    assert row_count(Image) == 3
    assert person.faults == []


@walks(in_ci=(PHONE, SPANISH))
def test_a_worker_reports_deaths_and_takes_them_back(client: TestClient, person: Person) -> None:
    count_by_hand(client, 96, when=1)
    person.go(entrance("vera", UserRole.WORKER))
    page, before = person.page, person.taps
    person.tap(page.locator("a[href='/beds']:visible").first)
    person.tap(page.locator("a[href='/beds/A1']:visible").first)
    person.tap("a[href$='/deaths']")
    person.keep("1-deaths")
    person.tap("dialog [data-offer='5']")
    expect(page.locator("dialog [data-outcome]")).to_contain_text("91")
    person.tap("dialog [data-write]")
    expect(page.locator("[data-toast]")).to_be_visible()
    person.keep("2-written")
    assert (person.since(before), on_hand(client)) == (5, 91)
    person.tap("[data-toast] button")
    expect(page.locator(".fig.x")).to_contain_text("96")
    assert (on_hand(client), person.faults) == (96, [])


@walks(in_ci=(DESK, SPANISH))
def test_a_photo_of_the_wrong_bed_is_moved(client: TestClient, person: Person) -> None:
    session = count_by_photo(client, 40, when=1)
    person.go(entrance("marta", UserRole.SUPERVISOR))
    person.go("/beds/A1?months=12")
    page, before = person.page, person.taps
    move = page.locator("a[href*='/counts/'][href$='/move']:visible")
    if not move.count():
        person.tap(page.locator("details:has(a[href$='/move']) > summary").first)
    person.tap(move.first)
    person.tap("button[name=to_near][value=A2]")
    expect(page.locator("[data-outcome]").first).to_contain_text("40")
    person.keep("1-shown-before")
    person.tap("button[value=write]")
    expect(page.locator("[data-toast]")).to_be_visible()
    person.keep("2-moved")
    assert person.since(before) <= 4
    assert (on_hand(client), on_hand(client, "A2")) == (0, 40)
    assert session_read(client, session)["status"] == "completed"
    assert person.faults == []


def five_that_wait(client: TestClient) -> list[str]:
    """Sessions that wait for five reasons."""
    count_by_photo(client, 100, when=0, width=2)
    return [
        count_by_photo(client, 21, when=1, width=2),
        send(client, jpeg(91)).json()["session_id"],
        count_by_photo(client, 7, when=0, code="A3"),
        waiting(client, 92, replace(photo_count((12, 0)), plants_likelihood=0.1), "A2"),
        waiting(client, 93, photo_count((4, None), residual_share=0.4), "A2"),
    ]


def waiting(client: TestClient, seed: int, answer, code: str = "A1") -> str:
    session = upload_session(client, jpeg(seed), location_code=code)
    record_answers(session, answer)
    return session


def decide(person: Person, number: int, keys: str) -> None:
    """Keys alone decide, and the next session is there."""
    review = person.page.locator("[data-review]")
    before = review.get_attribute("data-session")
    person.keep(f"{number}-before-{keys.replace(' ', '')}")
    for key in keys.split():
        person.key(key)
    expect(person.page.locator("[data-toast]")).to_be_visible()
    for _ in range(40):
        if review.count() == 0 or review.get_attribute("data-session") != before:
            return
        person.page.wait_for_timeout(100)
    pytest.fail(f"{keys} did not decide")


@walks(in_ci=(DESK, SPANISH))
def test_a_morning_of_five_reasons_by_keyboard_from_today(
    client: TestClient, person: Person
) -> None:
    sessions = five_that_wait(client)
    person.go(entrance("marta", UserRole.SUPERVISOR))
    person.go("/")
    person.keep("0-today")
    person.key("r")
    expect(person.page.locator("[data-review]")).to_be_visible()
    for number, keys in enumerate(("a", "1", "1", "1", "d 2"), start=1):
        decide(person, number, keys)
    expect(person.page.locator("[data-review]")).to_have_count(0)
    person.keep("6-nothing-left")
    states = [session_read(client, session)["status"] for session in sessions]
    assert states == ["completed", "pending", "completed", "completed", "discarded"]
    assert person.taps == 7
    assert person.faults == []


@walks(in_ci=(PHONE, ENGLISH))
def test_two_plants_are_added_and_one_removed_and_a_number_is_followed_home(
    client: TestClient, person: Person
) -> None:
    session = waiting(client, 94, replace(photo_count((10, 0)), interval_90=(4, 15)))
    person.go(entrance("marta", UserRole.SUPERVISOR))
    person.go(f"/review/{session}")
    page = person.page
    expect(page.locator("[data-stage]")).to_have_attribute("data-ready", "true")
    for keys in ("ArrowLeft Delete", "p Enter", "p Enter"):
        before = person.taps
        for key in keys.split():
            person.key(key)
        assert person.since(before) == 2
    expect(page.locator("[data-sum]")).to_contain_text("= 11")
    person.keep("1-corrected")
    person.key("a")
    expect(page.locator("[data-toast]")).to_be_visible()
    assert on_hand(client) == 11
    kinds = ok(client.get(f"{SESSIONS}/{session}/corrections"))["corrections"]
    assert sorted(row["kind"] for row in kinds) == ["added", "added", "removed"]
    person.go("/stock")
    before = person.taps
    person.tap(page.locator("main a:visible", has_text="11").first)
    expect(page.locator("main a[href^='/stock/lots/']:visible").first).to_be_visible()
    person.keep("2-lots")
    person.tap(page.locator("main a[href^='/stock/lots/']:visible").first)
    expect(page.locator(f"main a[href='/sessions/{session}']:visible").first).to_be_visible()
    person.keep("3-a-lot")
    person.tap(page.locator(f"main a[href='/sessions/{session}']:visible").first)
    expect(page.locator("[data-stage]").first).to_be_visible()
    person.keep("4-its-photo")
    assert person.since(before) == 3
    assert person.faults == []
