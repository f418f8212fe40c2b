"""The pages in a real browser: on a phone and at a desk, in both languages, with live progress."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect, sync_playwright

from demeter.app import create_app
from support.nursery import photo_count
from support.rows import until
from support.served import SESSIONS, client, jpeg, record_answers, upload_session
from support.signing_in import entrance

__all__ = ["client"]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect.set_options(timeout=20_000)


UNPACKED = Path(sys.prefix).resolve().parent / "chromium"


def _program() -> str | None:
    """Chromium of the system, or the one that set-up unpacked beside the environment."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    unpacked = UNPACKED / "chromium"
    return found or (str(unpacked) if unpacked.exists() else None)


pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = _program()
    if program is None:
        pytest.skip("no Chromium here: `make setup-dev` installs it where it may")
    libraries = [os.environ.get("LD_LIBRARY_PATH", ""), *map(str, UNPACKED.glob("usr/lib/*-gnu*"))]
    with pytest.MonkeyPatch.context() as patch:
        # The client's own Node.js may want a library that only lies there.
        patch.setenv("LD_LIBRARY_PATH", ":".join(filter(None, libraries)))
        driver = sync_playwright().start()
    try:
        started = driver.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()
    finally:
        driver.stop()


@pytest.fixture
def site(client: TestClient) -> Iterator[str]:
    """The server on a port of its own, on the test's database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        create_app(), port=port, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@dataclass
class Visit:
    """A page somebody looks at, and everything that went wrong meanwhile."""

    page: Page
    site: str
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page


@pytest.fixture(params=[(PHONE, "es-AR"), (DESK, "en-GB")], ids=["phone-es", "desk-en"])
def visit(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    size, language = request.param
    phone = size is PHONE
    context = browser.new_context(viewport=size, locale=language, has_touch=phone, is_mobile=phone)
    made = Visit(context.new_page(), site)
    made.go(entrance("vera"))
    made.page.on("pageerror", lambda error: made.faults.append(str(error)))
    made.page.on(
        "console", lambda said: made.faults.append(said.text) if said.type == "error" else None
    )
    made.page.on(
        "request",
        lambda sent: (
            None if sent.url.startswith((site, "blob:", "data:")) else made.foreign.append(sent.url)
        ),
    )
    yield made
    context.close()
    assert made.foreign == []


def is_spanish(page: Page) -> bool:
    return page.locator("html").get_attribute("lang") == "es"


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    payload = [{"name": n, "mimeType": "image/jpeg", "buffer": body} for n, body in files]
    page.locator("form input[type=file][multiple]").first.set_input_files(payload)


def fits(page: Page) -> bool:
    return page.evaluate(
        "document.documentElement.scrollWidth <= window.innerWidth && visualViewport.scale >= 1"
    )


def test_a_list_that_cannot_be_renewed_stays_and_is_renewed_later(visit: Visit, client: TestClient):
    upload_session(client)
    page = visit.go("/sessions")
    expect(page.locator(".session-row")).to_have_count(1)
    page.route(
        "**/parts/sessions*", lambda route: route.fulfill(status=503, body="<p>Nothing works</p>")
    )
    for _ in range(2):
        with page.expect_response("**/parts/sessions*", timeout=20_000) as answer:
            pass
        assert answer.value.status == 503
    expect(page.locator(".session-row")).to_have_count(1)
    expect(page.get_by_text("Nothing works")).to_have_count(0)
    page.unroute("**/parts/sessions*")
    upload_session(client, jpeg(1), location_code="A2")
    expect(page.locator(".session-row")).to_have_count(2)


def test_progress_is_shown_and_the_page_turns_into_the_result(visit: Visit, client: TestClient):
    session_id = upload_session(client)
    page = visit.go(f"/sessions/{session_id}")
    expect(page.locator("[data-progress-title]")).to_have_text(
        "En espera de un proceso de conteo" if is_spanish(page) else "Waiting for a worker"
    )
    expect(page.locator("[data-no-worker]")).to_be_visible()
    record_answers(session_id, photo_count((12, 3)))
    expect(page.locator(".chip.large")).to_have_class("chip large completed")
    expect(page.locator(".big span")).to_have_text("15")
    assert fits(page)
    assert visit.faults == []


def colours(page: Page) -> int:
    """How many the picture has that is shown; an empty canvas has one."""
    return page.locator(".openseadragon-canvas canvas").first.evaluate("""canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size; }""")


def painted(page: Page) -> int:
    """How many pixels of the overlay are not transparent."""
    return page.evaluate("""() => {
        const c = document.querySelector('canvas.overlay');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n += 1; return n; }""")


def test_the_photo_can_be_walked_through(visit: Visit, client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((9, 1), (4, 0), empty=2))
    page = visit.go(f"/sessions/{session_id}")
    expect(page.locator("[data-stage]")).to_have_attribute("data-ready", "true")
    expect(page.locator("[data-count=plants]")).to_have_text("13")
    whole = painted(page)
    assert whole > 0
    page.locator("[data-layer=containers]").uncheck()
    without_containers = painted(page)
    assert 0 < without_containers < whole
    page.locator("[data-layer=plants]").uncheck()
    page.locator("[data-layer=empties]").uncheck()
    page.locator("[data-layer=residual]").uncheck()
    assert painted(page) == 0
    page.locator("[data-layer=containers]").check()
    page.locator("[data-show='2']").click()
    expect(page.locator("tr[data-container='2']")).to_have_class("marked")
    page.wait_for_timeout(1200)
    assert painted(page) > whole  # zoomed in on it, its outline is longer
    page.locator("[data-zoom=whole]").click()
    assert fits(page)
    until(lambda: colours(page) > 50, within_s=20)  # the photo's tiles are there
    assert visit.faults == []


def test_a_tap_on_a_container_marks_its_row(visit: Visit, client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((9, 1), (4, 0)))
    page = visit.go(f"/sessions/{session_id}")
    expect(page.locator("[data-stage]")).to_have_attribute("data-ready", "true")
    page.wait_for_timeout(700)
    box = page.locator(".viewer").bounding_box()
    assert box
    scale = min(box["width"], box["height"]) / 1000
    left = box["x"] + (box["width"] - 1000 * scale) / 2
    top = box["y"] + (box["height"] - 1000 * scale) / 2
    page.mouse.click(left + 360 * scale, top + 110 * scale)  # inside the second container
    expect(page.locator("tr[data-container='2']")).to_have_class("marked")
    expect(page.locator("tr[data-container='1']")).not_to_have_class("marked")


def test_a_count_is_accepted_with_a_button(visit: Visit, client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((2, None), residual_share=0.4))
    page = visit.go(f"/sessions/{session_id}")
    page.fill("#note", "looked at it")
    page.locator(f"form[action='/sessions/{session_id}/accept'] button").click()
    expect(page.locator(".chip.large")).to_have_class("chip large completed")
    assert client.get(f"{SESSIONS}/{session_id}").json()["validated"] is True


def test_a_picture_that_does_not_come_is_an_empty_place(visit: Visit, client: TestClient):
    upload_session(client, jpeg(1))
    visit.page.route("**/thumbnail*", lambda route: route.fulfill(status=410))
    picture = visit.go("/gallery").locator(".shot img")
    expect(picture).to_have_class("is-missing")
    background = picture.evaluate("img => getComputedStyle(img).backgroundImage")
    assert background.startswith('url("data:image/svg+xml')


def test_the_language_is_changed_by_a_person(visit: Visit):
    page = visit.go("/me")
    other = "en" if is_spanish(page) else "es"
    page.locator(f".languages button[value={other}]").click()
    expect(page.locator("html")).to_have_attribute("lang", other)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", other)


def test_everything_has_a_name_and_is_large_enough_to_touch(visit: Visit, client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((2, None), (3, 1), residual_share=0.4))
    for path in ("/", "/count", "/sessions", f"/sessions/{session_id}"):
        page = visit.go(path)
        assert page.locator("h1").count() == 1
        assert page.locator("img:not([alt])").count() == 0
        nameless = page.evaluate("""() => [...document.querySelectorAll(
            'button, a, input:not([type=hidden])')].filter(e => e.offsetParent &&
            !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length ||
              e.querySelector('img[alt]'))).map(e => e.outerHTML)""")
        assert nameless == []
        if page.viewport_size == PHONE:
            small = page.evaluate("""() => [...document.querySelectorAll(
                'button, .btn, summary, input:not([type=hidden], [type=checkbox]), .layer')]
                .filter(e => e.offsetParent && e.getBoundingClientRect().height < 34)
                .map(e => e.outerHTML)""")
            assert small == []


def test_a_page_without_scripts_still_takes_photos(browser: Browser, site: str):
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(site + entrance("vera"))
    page.goto(site + "/count")
    choose(page, ("bed.jpg", jpeg()))
    page.fill("#location_code", "A1")
    page.locator(".send .btn").click()
    expect(page.locator("h1")).to_have_text("Count of A1")
    context.close()


def test_search_opens_with_a_key_and_is_walked_with_arrows(visit: Visit, client: TestClient):
    record_answers(upload_session(client), photo_count((60, 0)))
    page = visit.go("/")
    if page.viewport_size == PHONE:
        page.locator("a[data-find]").click()
    else:
        page.keyboard.press("/")
    expect(page.locator("dialog[open] input")).to_be_focused()
    page.keyboard.type("echev")
    hits = page.locator("dialog[open] [data-hit]")
    expect(hits.first).to_have_attribute("href", "/stock?product=ECHEVERIA-01")
    expect(page.locator("dialog[open] mark").first).to_have_text("Echev")
    assert fits(page)
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.site}/stock?product=ECHEVERIA-01")
    assert visit.faults == []


def test_a_number_of_the_stock_is_traced_to_its_photo_in_three_taps(
    visit: Visit, client: TestClient
):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((60, 0)))
    page = visit.go("/stock")
    assert fits(page)
    page.locator(".main-n a", has_text="60").click()
    page.locator(".main-n a", has_text="60").click()
    assert fits(page)
    page.locator(".life b a").first.click()
    expect(page).to_have_url(f"{visit.site}/sessions/{session_id}")
    assert visit.faults == []


def test_the_key_r_of_the_first_page_begins_the_review(visit: Visit, client: TestClient):
    record_answers(upload_session(client), None)
    page = visit.go("/")
    with page.expect_request("**/review"):
        page.keyboard.press("r")


def test_the_api_is_described_whole_without_another_host(visit: Visit):
    page = visit.go("/api/v1/docs")
    expect(page.locator("h1")).to_be_visible()
    ids = page.locator("[data-operation]").evaluate_all("all => all.map(e => e.dataset.operation)")
    paths = create_app().openapi()["paths"].values()
    assert ids == [operation["operationId"] for item in paths for operation in item.values()]
    assert fits(page)
    page.locator("a[href='#schema-SessionRead']").first.click()
    expect(page.locator("#schema-SessionRead h3")).to_be_in_viewport()
    assert visit.faults == []
