"""Before a blind recount the machine's number is nowhere: not in any answer, page or command."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from itertools import product

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from demeter.core import db
from support.commands import demeter
from support.ledgerapi import ok
from support.nursery import photo_count
from support.served import SESSIONS, client, record_answers, upload_session

assert client  # pytest finds the fixture by its name here

ESTIMATED, DETECTED = 4711, 3
TOTAL = ESTIMATED + DETECTED
# As a number of its own: not within an id or the digits of a measured time.
TOLD = re.compile(r"(?<![\w.])(?<![0-9a-f]-)4[.,\u00a0\u202f ]?71[14](?!\w)(?!-[0-9a-f])")
VALUES = {
    "variant": ["original", "file", "view", "screen", "thumbnail", "processed"],
    "import_id": ["1"],
    "name": ["none-such"],
    "place_code": ["A1", "NAVE1"],
    "kind": ["xlsx", "pdf", "csv"],
    "code": ["2026-03", "A1"],
    "upload_id": ["7d0c8a52-5b41-4f0e-8a53-1f1f3f0f9c10"],
    "lot_id": ["1"],
    "language": ["es"],
    "sku": ["none-such"],
    "batch_code": ["none-such"],
    "movement_id": ["7d0c8a52-5b41-4f0e-8a53-1f1f3f0f9c10"],
    "username": ["rosa"],
    "webhook_id": ["1"],
}
OF_THE_DOOR = "{secret}"  # one-time links: they lead in, and show nothing of stock


@pytest.fixture
def blind(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A server on which every photo is recounted by a person, with one that waits for it."""
    monkeypatch.setenv("DEMETER_BLIND_SHARE", "1")
    db.settings.cache_clear()
    period = {"code": "2026-03"}
    ok(client.post("/api/v1/periods", json=period))
    return client


def waiting(client: TestClient) -> dict[str, list[str]]:
    """A photo that was counted and waits; what its addresses are filled in with."""
    session_id = upload_session(client)
    record_answers(session_id, photo_count((DETECTED, ESTIMATED)))
    (row,) = ok(client.get("/api/v1/stock/counts"))["items"]
    images = [image["image_id"] for image in ok(client.get(f"{SESSIONS}/{session_id}"))["images"]]
    return VALUES | {
        "session_id": [session_id],
        "key": ["1", session_id],  # of evidence: the first row of each table
        "count_id": [str(row["count_id"])],
        "image_id": images,
    }


def pages(client: TestClient) -> list[str]:
    """Every GET address that is no part of the API."""
    routes = iter_route_contexts(client.app.routes)
    paths = [each.path for each in routes if "GET" in (each.methods or ())]
    plain = [re.sub(r":\w+}", "}", path) for path in paths]  # without what a blank may hold
    return [path for path in plain if OF_THE_DOOR not in path and "/events" not in path]


def addresses(client: TestClient, values: dict[str, list[str]]) -> list[str]:
    """Every GET address of the API, and of the pages, with their blanks filled in."""
    paths = [p for p, operations in client.app.openapi()["paths"].items() if "get" in operations]
    filled = []
    for path in dict.fromkeys([*paths, *pages(client)]):
        names = re.findall(r"{(\w+)}", path)
        unknown = [name for name in names if name not in values]
        assert unknown == [], f"{path}: say above what {unknown} is filled in with"
        for choice in product(*(values[name] for name in names)):
            filled.append(path.format(**dict(zip(names, choice, strict=True))))  # noqa: PERF401
    return filled


def text_of(body: bytes) -> str:
    """What a body says; a workbook by its parts."""
    if body[:2] == b"PK":
        with zipfile.ZipFile(BytesIO(body)) as parts:
            return " ".join(
                parts.read(name).decode("utf-8", "replace") for name in parts.namelist()
            )
    return body.decode("utf-8", "replace")


def telling(client: TestClient, values: dict[str, list[str]]) -> list[str]:
    """The addresses whose answer has the machine's number in it."""
    tell = []
    for address in addresses(client, values):
        answer = client.get(address)
        assert answer.status_code < 500, address
        is_picture = answer.headers.get("content-type", "").startswith("image/")
        if not is_picture and TOLD.search(text_of(answer.content)):
            tell.append(address)
    return tell


def test_no_address_tells_the_number_before_the_recount_and_several_do_after(
    blind: TestClient,
) -> None:
    values = waiting(blind)
    assert telling(blind, values) == []
    (image,) = values["image_id"]
    (session_id,) = values["session_id"]
    (processed,) = [a for a in addresses(blind, values) if a.endswith(f"{image}/processed")]
    refused = blind.get(processed)
    assert (refused.status_code, refused.json()["code"]) == (409, "blind_recount_first")
    ok(blind.post(f"{SESSIONS}/{session_id}/blind-recount", json={"plants": 9}))
    shown = telling(blind, values)  # the walk can fail: what it looks for is there now
    assert f"{SESSIONS}/{session_id}" in shown
    assert "/api/v1/stock/counts/" + values["count_id"][0] in shown
    for page in ("/sessions", "/beds/A1", f"/sessions/{session_id}"):
        assert page in shown, page
    assert len(shown) >= 5


READING = [  # those that can tell a number; each is a process of its own
    ["photos", "show", "{session_id}"],
    ["photos", "show", "{session_id}", "--json"],
    ["counts", "list", "--waiting"],
    ["counts", "list", "--json"],
    ["counts", "show", "{count_id}"],
    ["counts", "sheet", "A1", "sheet.xlsx"],
    ["stock", "show", "--json"],
    ["stock", "movements"],
    ["periods", "show", "2026-03", "--json"],
    ["periods", "report", "2026-03", "report.xlsx"],
    ["dataset", "export", "set", "--format", "coco"],
    ["dataset", "densities"],
    ["verify", "--json"],
]


@pytest.mark.long
def test_no_reading_command_tells_the_number(blind: TestClient, tmp_path) -> None:
    values = waiting(blind)
    for command in READING:
        words = [word.format(**{k: v[0] for k, v in values.items()}) for word in command]
        done = demeter(*words, cwd=tmp_path)
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert "Usage:" not in said, said
        assert not TOLD.search(text_of(said)), command
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".webp"]
    for file in written:
        assert not TOLD.search(text_of(file.read_bytes())), file
