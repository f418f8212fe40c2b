"""Pages on a slow phone's processor: 1,290 beds, and a photo of 12 megapixels with 3,000 plants.

The browser's processor is slowed down four times. Figures are printed; bounds are the
aims of the pages, so the machine must have nothing else to do: these tests are long ones.
"""

from __future__ import annotations

import gzip
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.vision.values import Container, ContainerType, DetectedBox, PhotoCount
from support.nursery import photo_count, square
from support.pictures import encoded, picture
from support.served import client, record_answers, upload_session
from support.signing_in import entrance
from web.test_browser import browser, site

__all__ = ["browser", "client", "site"]

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

SLOWER = 4
WIDE, HIGH = 4000, 3000
ACROSS, DOWN, SIDE = 8, 5, 440  # containers of the photo, pixels a side
PLANTS = 75  # a container
BEDS = 1290
INTERACTIVE_MS, TASK_MS, SHIFT, SCRIPT_KB = 2000, 50, 0.05, 300
ROUNDS = 3
EDITS = ["ArrowLeft", "ArrowDown", "Delete", "p", "Enter", "p", "Enter", "z", "z", "z"]

WATCH = """() => {
    window.tasks = []; window.shift = 0;
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) window.tasks.push([one.startTime, one.duration]);
    }).observe({type: "longtask", buffered: true});
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
    }).observe({type: "layout-shift", buffered: true});
}"""
TELL = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const scripts = performance.getEntriesByType("resource").filter(r => r.name.endsWith(".js"));
    const names = scripts.map(r => r.name);
    return {
        parsed: page.domContentLoadedEventEnd,
        tasks: window.tasks,
        shift: window.shift,
        scripts: names,
    };
}"""
READY = "() => document.querySelector('[data-stage]')?.dataset.ready === 'true'"


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a page took: milliseconds since it was asked for, KiB of scripts."""

    interactive: float
    longest: float
    shift: float
    scripts: float


def crowded() -> PhotoCount:
    """Forty containers of 75 plants each, over the whole photo."""
    containers, boxes = [], []
    pitch_x, pitch_y = WIDE // ACROSS, HIGH // DOWN
    for at in range(ACROSS * DOWN):
        x, y = at % ACROSS * pitch_x + 20, at // ACROSS * pitch_y + 20
        outline = square(x, y, SIDE)
        containers.append(Container("segment", ContainerType.SEGMENT, outline, SIDE * SIDE, 0.92))
        for plant in range(PLANTS):
            left, top = x + 5.0 + plant % 10 * 43, y + 5.0 + plant // 10 * 54
            boxes.append(
                DetectedBox(
                    (left, top, left + 40.0, top + 50.0),
                    0.8,
                    is_empty_container=False,
                    container=at,
                )
            )
    flat = photo_count(*[(PLANTS, 0)] * len(containers), at=[(0, 0)] * len(containers))
    return replace(
        flat,
        width_px=WIDE,
        height_px=HIGH,
        containers=tuple(containers),
        detections=tuple(boxes),
        estimations=tuple(
            replace(estimate, polygon_px=containers[estimate.container].polygon_px)
            for estimate in flat.estimations
        ),
    )


def large(seed: int) -> bytes:
    """A JPEG of 12 megapixels."""
    return encoded(picture(1000, 750, seed).resize((WIDE, HIGH), Image.Resampling.BICUBIC))


@pytest.fixture
def pages(client: TestClient) -> dict[str, str]:
    """A large nursery, a bed counted by a crowded photo, and another that waits."""
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO storage_locations (storage_area_id, code, name, location_type,"
                " geojson_coordinates, walk_order) SELECT storage_area_id, 'S' || n,"
                " 'Cantero ' || n, 'growing_bed', ST_MakeEnvelope(n % 40 * 2, 61 + n / 40,"
                " n % 40 * 2 + 1.8, 61.9 + n / 40, 4326), n FROM storage_areas,"
                " generate_series(1, :beds) n WHERE code = 'NORTH'"
            ),
            {"beds": BEDS},
        )
    posted = upload_session(client, large(1))
    record_answers(posted, crowded())
    held = upload_session(client, large(2), location_code="A2")
    record_answers(held, replace(crowded(), plants_likelihood=0.1))
    return {
        "/": "/",
        "/beds": "/beds",
        "/count": "/count",
        "/stock": "/stock",
        "/gallery": "/gallery",
        "a bed": "/beds/A1",
        "a session": f"/sessions/{posted}",
        "a review": f"/review/{held}",
    }


@pytest.fixture(params=["phone", "desk"])
def slow(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """A supervisor's page whose processor is slowed down."""
    is_phone = request.param == "phone"
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if is_phone else {"width": 1440, "height": 900},
        device_scale_factor=2 if is_phone else 1,
        is_mobile=is_phone,
        has_touch=is_phone,
        locale="es",
    )
    context.add_init_script(f"({WATCH})()")
    page = context.new_page()
    page.goto(site + entrance("marta", UserRole.SUPERVISOR))
    _slowed(page)
    yield page
    context.close()


def _slowed(page: Page) -> CDPSession:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return devtools


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tells a figure, whatever pytest captures."""

    def tell(words: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{words}")

    return tell


def opened(page: Page, address: str, has_picture: bool) -> Opened:
    page.goto(address)
    ready = 0.0
    if has_picture:
        page.wait_for_function(READY)
        ready = page.evaluate("performance.now()")
    page.wait_for_timeout(1500)
    told: dict[str, Any] = page.evaluate(TELL)
    ends = [start + took for start, took in told["tasks"]]
    return Opened(
        max(told["parsed"], ready, *ends),
        max((took for _, took in told["tasks"]), default=0),
        told["shift"],
        sum(_packed(page, script) for script in set(told["scripts"])) / 1024,
    )


def moved(page: Page) -> list[float]:
    """Zoom in and pan; the milliseconds of each long task meanwhile."""
    viewer = page.locator(".viewer")
    viewer.scroll_into_view_if_needed()  # or the mouse selects text above it, for a second
    place = viewer.bounding_box()
    assert place
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.evaluate("window.tasks.length = 0")
    for _ in range(3):
        page.mouse.move(x, y)
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(700)
    for turn in range(4):
        page.mouse.down()
        for step in range(12):
            page.mouse.move(x + step * 10 * (-1) ** turn, y + step * 5 * (-1) ** turn)
            page.wait_for_timeout(16)
        page.mouse.up()
        page.wait_for_timeout(700)
    assert page.evaluate("getSelection().toString()") == ""
    return [took for _, took in page.evaluate("window.tasks")]


def edited(page: Page) -> list[float]:
    """Choose, remove, add and undo by keys; the milliseconds of each long task meanwhile."""
    page.evaluate("window.tasks.length = 0")
    for key in EDITS * 2:
        page.keyboard.press(key)
        page.wait_for_timeout(250)
    return [took for _, took in page.evaluate("window.tasks")]


def _packed(page: Page, address: str) -> int:
    """Bytes of a script as they travel: a service worker hands it to the page unpacked."""
    return len(gzip.compress(page.request.get(address).body(), 5))


def test_pages_are_ready_soon_stand_still_and_are_never_held_up(
    slow: Page, site: str, pages: dict[str, str], request: pytest.FixtureRequest, say
):
    size = request.node.callspec.id
    slow.goto(site + "/")  # scripts and styles are kept from here on
    short = []
    for name, path in pages.items():
        has_picture = "data-stage" in slow.request.get(site + path).text()
        tries = [opened(slow, site + path, has_picture) for _ in range(ROUNDS)]
        took, longest = (
            statistics.median(one.interactive for one in tries),
            statistics.median(one.longest for one in tries),
        )
        shift, scripts = max(one.shift for one in tries), max(one.scripts for one in tries)
        told = f"{size}, {name}: {took:.0f} ms, longest task {longest:.0f} ms"
        say(f"{told}, shift {shift:.3f}, scripts {scripts:.0f} KiB")
        if took > INTERACTIVE_MS or shift > SHIFT or scripts > SCRIPT_KB:
            short.append(told)
        acts = [moved] * has_picture + [edited] * (name == "a review")
        for act in acts:
            tasks = act(slow)
            told = f"{size}, {name} {act.__name__}: {[round(task) for task in tasks]} ms"
            say(told)
            if max(tasks, default=0) > TASK_MS:
                short.append(told)
    assert not short
