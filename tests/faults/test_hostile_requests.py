"""Texts that no column, header or page can hold, in every place of every route."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demeter.app import create_app
from support.served import UPLOAD, client, jpeg, upload_session

__all__ = ["client"]

# As they stand in an address; the same in a body as JSON writes them.
IN_ADDRESSES = (
    "%00", "A%00B", "%ff", "%ed%a0%80", "%0d%0aX-Evil:1", "%F0%9F%8C%B5", "..%2f..%2fetc%2fpasswd",
    "9223372036854775808", "-1", "0001-01-01", "9999-12-31T23:59:59%2B14:00",
    "%25", "a" * 3000, "%20",
)  # fmt: skip
IN_JSON = (
    r'"\u0000"', r'"A\u0000B"', r'"\ud800"', r'"\udfff\ud800"', '"\\u202e"', "1e400", "-0",
    "9223372036854775808", "NaN", "[]", "{}", "null", "true", '"0001-01-01"',
    '"9999-12-31T23:59:59.999999+14:00"', '"' + "x" * 5000 + '"',
)  # fmt: skip
IN_FORMS = (b"A\x00B", b"\xff\xfe", b"\xed\xa0\x80", b"9" * 30, b"0001-01-01", b"x" * 9000)
HEADERS = ("idempotency-key", "if-match", "if-none-match", "accept-language", "accept", "cookie",
           "x-request-id", "content-type", "range", "referer")  # fmt: skip


def routes() -> list[tuple[str, str]]:
    """Method and path template of all routes, pages as well."""
    return sorted({pair for route in create_app().routes for pair in _flat(route)})


def _flat(route: Any) -> Iterator[tuple[str, str]]:
    inner = getattr(getattr(route, "original_router", None), "routes", None)
    if inner is not None:
        for each in inner:
            yield from _flat(each)
    elif getattr(route, "methods", None):
        for method in route.methods:
            yield method, route.path


ROUTES = [(method, path) for method, path in routes() if not path.endswith("/events")]


def filled(path: str, values: dict[str, str], otherwise: str) -> str:
    return re.sub(r"\{([^}:]+)(:[^}]*)?\}", lambda m: values.get(m[1], otherwise), path)


def ask(client: TestClient, method: str, path: str, **more: Any) -> None:
    answer = client.request(method, path, follow_redirects=False, **more)
    assert answer.status_code < 500, f"{method} {path} {more}: {answer.status_code} {answer.text}"


@pytest.fixture
def values(client: TestClient) -> dict[str, str]:
    return {"session_id": upload_session(client), "code": "2026-03", "kind": "pdf", "count_id": "1"}


def test_every_route_was_found() -> None:
    paths = {path for _, path in ROUTES}
    assert {"/", "/sessions/{session_id}", UPLOAD, "/health/ready", "/language"} <= paths


def addresses(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each route with each hostile text, in its path and in its query."""
    for method, path in ROUTES:
        for text in IN_ADDRESSES:
            if "{" in path:
                yield method, filled(path, {}, text)
            names = ("limit", "cursor", "status", "location_code", "at", "by", "v", "language")
            query = "&".join(f"{name}={text}" for name in names)
            yield method, f"{filled(path, values, 'A1')}?{query}"
            yield method, f"{filled(path, values, 'A1')}?{text}={text}&{text}"


def test_some_hostile_texts_in_paths_and_queries(
    client: TestClient, values: dict[str, str]
) -> None:
    for method, address in random.Random(19).sample(list(addresses(values)), 200):
        ask(client, method, address)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_hostile_texts_in_paths_and_queries(client: TestClient, values: dict[str, str]) -> None:
    for method, address in addresses(values):
        ask(client, method, address)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_hostile_texts_in_headers(client: TestClient, values: dict[str, str]) -> None:
    for method, path in ROUTES:
        for name in HEADERS:
            for text in (b"\xff\xfe", b"\xc3\x28", b'"' * 300, b",;=,;=", b"x" * 5000, b""):
                ask(client, method, filled(path, values, "A1"), headers={name: text})


@pytest.mark.long
@pytest.mark.timeout(900)
def test_hostile_texts_in_bodies(client: TestClient, values: dict[str, str]) -> None:
    document = client.get("/api/v1/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema is None:
                continue
            for name in _fields(schema, document):
                for text in IN_JSON:
                    body = f'{{"{name}": {text}, "movement_id": "{KEY}", "plants": 1}}'
                    ask(
                        client, method.upper(), filled(path, values, "A1"), content=body.encode(),
                        headers={"content-type": "application/json"},
                    )  # fmt: skip
                    tried += 1
            for body in (b"\xff", b'{"\\ud800": 1}', b'{"a\\u0000": 1}', b"[" * 100_000, b"", b"1"):
                ask(
                    client, method.upper(), filled(path, values, "A1"), content=body,
                    headers={"content-type": "application/json"},
                )  # fmt: skip
    assert tried > 500


KEY = "0f6f1f3d-0a3e-4f59-9d1c-6a1f6a7f2b11"


def _fields(schema: Any, document: Any) -> set[str]:
    """Names of the fields of a body, whichever of its variants it is."""
    text = json.dumps(schema)
    names = set(schema.get("properties", {})) if isinstance(schema, dict) else set()
    for reference in re.findall(r"#/components/schemas/(\w+)", text):
        names |= set(document["components"]["schemas"][reference].get("properties", {}))
    return names


@pytest.mark.parametrize("field", ["location_code", "location_id", "captured_at", "user", "a\x00b"])
def test_hostile_texts_in_forms(client: TestClient, field: str) -> None:
    for text in IN_FORMS:
        body = (
            b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n--b\r\n'
            b'Content-Disposition: form-data; name="files"; filename="a\xff\x00.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n%b\r\n--b--\r\n"
        ) % (field.encode(), text, jpeg())
        for path in (UPLOAD, "/api/v1/stock/count-sheets", "/api/v1/periods/2026-03/sales"):
            ask(
                client, "POST", path, content=body,
                headers={"content-type": "multipart/form-data; boundary=b"},
            )  # fmt: skip
