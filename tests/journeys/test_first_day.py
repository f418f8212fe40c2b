"""The first day as its page tells it, word by word: by pages, by commands, by the API."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from demeter_training.scenes.demo import demo_photos
from support.commands import demeter
from support.pictures import encoded
from support.upserver import UpServer, until, up_server

DOCUMENT = Path(__file__).parents[2] / "docs" / "first-day.md"
FILES = DOCUMENT.parent / "first-day"
SURVEY = [FILES / f"{name}.geojson" for name in ("naves", "canteros", "claros")]
BED = "NAVE1-NORTE-C01"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

pytestmark = [pytest.mark.xdist_group("first-day"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def bed_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bed with plants in it, drawn."""
    from PIL import Image  # noqa: PLC0415

    path = tmp_path_factory.mktemp("photo") / "claro.jpg"
    scene = next(iter(demo_photos((1200, 900))))
    path.write_bytes(encoded(Image.fromarray(scene.scene.rgb), quality=90))
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[UpServer]:
    with up_server(tmp_path / "home", tmp_path / "up.log", is_empty=True) as started:
        yield started


def steps_of(heading: str) -> list[list[str]]:
    """The words in bold of each numbered step under a heading."""
    section = DOCUMENT.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0].split("\n# ")[0]
    steps = re.findall(r"^\d+\. (.+)$", section, re.MULTILINE)
    assert len(steps) == 8
    return [re.findall(r"\*\*(.+?)\*\*", step) for step in steps]


class Reader:
    """Somebody who does what the page says, and counts what it takes."""

    def __init__(self, page: Page, steps: list[list[str]]) -> None:
        self.page = page
        self.steps = steps
        self.acts = 0
        self.seconds: dict[int, float] = {}

    def press(self, name: str) -> None:
        """A link or a button that is called so."""
        self.acts += 1
        named = self.page.get_by_role("link", name=name).or_(
            self.page.get_by_role("button", name=name)
        )
        named.first.click()

    def field(self, label: str) -> Locator:
        self.acts += 1
        entries = self.page.locator("input, select, textarea")
        return self.page.get_by_label(label, exact=True).and_(entries).first

    def step(self, number: int) -> list[str]:
        self.seconds[number] = time.monotonic()
        return self.steps[number - 1]


def first_link(server: UpServer) -> str:
    links: list[str] = []

    def is_told() -> bool:
        links[:] = re.findall(r"http://\S+/start/[\w-]+", server.log.read_text())
        return bool(links)

    until(is_told, "the first link")
    return links[0]


@pytest.mark.parametrize(
    ("heading", "locale"),
    [
        pytest.param("Por páginas", "es-AR", id="es"),
        pytest.param("By pages", "en-GB", id="en", marks=pytest.mark.long),
    ],
)
def test_by_pages(
    server: UpServer, browser: Browser, bed_photo: Path, heading: str, locale: str
) -> None:
    context = browser.new_context(viewport=DESK, locale=locale)  # type: ignore[arg-type]
    owner = Reader(context.new_page(), steps_of(heading))
    start_nursery(owner, first_link(server))
    import_files(owner, 2, SURVEY)
    import_files(owner, 3, [FILES / "productos.csv"])
    add_packaging(owner)
    say_what_grows(owner)
    link = invite(owner)
    phone = browser.new_context(
        viewport=PHONE,
        locale=locale,
        is_mobile=True,
        has_touch=True,  # type: ignore[arg-type]
    )
    worker = Reader(phone.new_page(), owner.steps)
    count_bed(worker, link, bed_photo)
    sys.stdout.write(f"{heading}: {owner.acts} + {worker.acts} acts\n")
    rows = server.query(
        "SELECT status::text, total_detected FROM photo_processing_sessions s "
        "JOIN users u ON u.id = s.uploaded_by_user_id WHERE u.username = 'ana'"
    )
    assert [row[0] for row in rows] == ["completed"]
    assert rows[0][1] > 0
    context.close()
    phone.close()


def start_nursery(owner: Reader, link: str) -> None:
    nursery, name, password, begin = owner.step(1)
    owner.page.goto(link)
    owner.field(nursery).fill("Los Cardones")
    owner.field(name).fill("Eva Ruiz")
    owner.field(password).fill("tres palabras largas")
    owner.press(begin)
    expect(owner.page.get_by_text("Los Cardones").first).to_be_visible()


def import_files(owner: Reader, number: int, files: list[Path]) -> None:
    place, start, label, see = owner.step(number)
    owner.press(place)
    owner.press(start)
    owner.field(label).set_input_files(files)
    owner.press(see)
    owner.acts += 1
    owner.page.locator("form[action$='/apply'] button.primary").click()
    expect(owner.page.get_by_role("status")).to_be_visible()


def add_packaging(owner: Reader) -> None:
    catalog, packagings, add, sku, name, save = owner.step(4)
    for link in (catalog, packagings, add):
        owner.press(link)
    owner.field(sku).fill("M12")
    owner.field(name).fill("Maceta 12")
    owner.press(save)
    expect(owner.page).to_have_url(re.compile("M12"))


def say_what_grows(owner: Reader) -> None:
    growing, product, state, packaging, save = owner.step(5)
    owner.press(growing)
    for _ in range(2):
        owner.acts += 1
    for code in (BED, "NAVE1-NORTE-C02"):
        owner.page.locator(f"input[value='{code}']").check(force=True)
    owner.field(product).select_option(value="ECHEVERIA-ELEGANS")
    owner.field(state).select_option(index=4)
    owner.field(packaging).select_option(value="M12")
    owner.press(save)
    expect(owner.page.get_by_role("status").first).to_be_visible()


def invite(owner: Reader) -> str:
    people, name, button = owner.step(6)
    owner.press(people)
    owner.field(name).fill("Ana Quiroga")
    owner.press(button)
    link = owner.page.locator("a.link").first
    expect(link).to_be_visible()
    return link.get_attribute("href") or ""


def count_bed(worker: Reader, link: str, photo: Path) -> None:
    password, enter = worker.step(7)
    worker.page.goto(link)
    worker.field(password).fill("otra frase con palabras")
    worker.press(enter)
    count, change, words, bed, gallery, send, today = worker.step(8)
    worker.press(count)
    worker.press(change)
    worker.field(words).fill("n1 norte 1")
    worker.press(bed)
    worker.acts += 1
    source = worker.page.locator("label").filter(has_text=gallery).locator("input").last
    source.set_input_files(photo)
    worker.press(send)
    expect(worker.page.locator("[data-to-queue]")).to_be_hidden()
    worker.press(today)
    numbers = worker.page.locator(".fig, .total b, [data-total]").first
    until(lambda: counted(worker.page, numbers), "the count on the page", within_s=300)


def counted(page: Page, numbers: Locator) -> bool:
    page.wait_for_timeout(1000)
    if "/sessions/" not in page.url:
        see = page.locator("a[href*='/sessions/']").first
        if see.count():
            see.click()
        return False
    return numbers.count() > 0 and bool(re.search(r"\d", numbers.inner_text()))


def test_by_commands(server: UpServer, tmp_path: Path, bed_photo: Path) -> None:
    text = DOCUMENT.read_text()
    block = text.split("\n## Por comandos\n")[1].split("```sh\n")[1].split("```")[0]
    folder = tmp_path / "files"
    folder.mkdir()
    for path in (*SURVEY, FILES / "productos.csv", bed_photo):
        (folder / path.name).write_bytes(path.read_bytes())
    port = server.address.rpartition(":")[2]
    environment = {k: v for k, v in os.environ.items() if k != "DEMETER_DATABASE_URL"}
    environment |= {
        "DEMETER_HOME": str(server.database.home),
        "DEMETER_PORT": port,
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    outputs = []
    for line in block.strip().splitlines():
        words = shlex.split(line)
        assert words[0] == "demeter"
        answer = demeter(*words[1:], cwd=folder, env=environment)
        assert answer.returncode == 0, f"{line}\n{answer.stdout}\n{answer.stderr}"
        outputs.append(answer.stdout)
    assert (folder / "etiquetas.pdf").read_bytes().startswith(b"%PDF")
    assert "/join/" in outputs[4]
    assert outputs[5].strip().startswith("dmt_")
    assert re.search(r"[1-9]\d*", outputs[-1])
    check_by_api(server.address, outputs[5].strip())


def check_by_api(address: str, token: str) -> None:
    """What the commands made is there for a program with the token that they printed."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{address}/api/v1", headers=headers) as api:
        assert api.get("/me").json()["username"] == "ana"
        sessions = api.get("/photos/sessions").json()["items"]
        assert [row["status"] for row in sessions] == ["completed"]


def test_by_the_api_alone(server: UpServer, bed_photo: Path) -> None:
    secret = make_token(server)
    with httpx2.Client(
        base_url=f"{server.address}/api/v1",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=120,
    ) as api:
        run_imports(api)
        packaging = {"sku": "M12", "name": "Maceta 12"}
        assert api.post("/catalog/packagings", json=packaging).status_code == 201
        config = {
            "location_codes": [BED],
            "product_code": "ECHEVERIA-ELEGANS",
            "state": "JUVENILE",
            "packaging_sku": "M12",
        }
        answer = api.post("/locations/configs", json=config)
        assert answer.status_code == 200, answer.text
        person = api.post("/people", json={"name": "Ana Quiroga", "role": "worker"}).json()
        assert "/join/" in person["link"]
        files = [("files", ("claro.jpg", bed_photo.read_bytes()))]
        sent = api.post("/stock/photo", files=files, data={"location_code": BED})
        assert sent.status_code == 202, sent.text
        session_id = sent.json()["session_id"]

        def is_counted() -> bool:
            return api.get(f"/photos/sessions/{session_id}").json()["status"] == "completed"

        until(is_counted, "the count", within_s=300)


def make_token(server: UpServer) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "DEMETER_DATABASE_URL"}
    environment["DEMETER_HOME"] = str(server.database.home)
    made: list[str] = []
    for words in (
        ["people", "add", "Eva Ruiz", "--role", "admin"],
        ["tokens", "create", "--user", "eva"],
    ):
        answer = demeter(*words, env=environment)
        assert answer.returncode == 0, answer.stderr
        made.append(answer.stdout.strip())
    return made[-1]


def run_imports(api: httpx2.Client) -> None:
    for paths in (SURVEY, [FILES / "productos.csv"]):
        files = [("files", (path.name, path.read_bytes())) for path in paths]
        preview = api.post("/imports", files=files)
        assert preview.status_code in (200, 201), preview.text
        number = preview.json()["id"]
        applied = api.post(f"/imports/{number}/apply", json={})
        assert applied.status_code == 200, applied.text
        assert json.loads(applied.text)["status"] == "applied"
