"""No foreign name, no foreign page, and fences around our own."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from demeter.core.errors import DomainError
from demeter.core.http.guards import _name, is_own_name, refusal_of
from demeter.core.settings import settings
from support.served import client, jpeg, row_count, upload_session

__all__ = ["client"]


def code(method: str, **headers: str) -> str | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = refusal_of(method, Headers(named))
    return refusal.code if isinstance(refusal, DomainError) else None


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("demeter.localhost", True),
        ("192.168.1.20", True),
        ("plants.example.org", True),  # as set below
        ("nursery-pc", True),
        ("wpad", False),
        ("demeter", False),
        ("evil", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("127.1", False),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("xlocalhost", False),
        ("org", False),
        ("", False),
    ],
)
def test_a_name_that_someone_else_can_own_is_not_ours(
    name: str, is_own: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEMETER_HOST_NAMES", "plants.example.org, Nursery-PC")
    settings.cache_clear()
    assert is_own_name(name) is is_own
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    "host",
    ["[::1", "[", "]", "localhost:8000@evil.example", "evil@localhost@evil.example", "local host"],
)
def test_a_host_that_is_none_is_refused(host: str):
    assert code("GET", host=host) == "foreign_host"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_host_is_answered_and_only_ours_pass(host: str):
    expected = _name(host)
    is_ours = expected == "localhost" or expected.endswith(".localhost")
    try:
        ip_address(expected)
    except ValueError:
        pass
    else:
        is_ours = True
    assert is_own_name(expected) is is_ours


def test_a_rebound_name_is_refused_even_to_read():
    assert code("GET", host="evil.example") == "foreign_host"
    assert code("GET", host="127.0.0.1:8000") is None
    assert code("GET", host="[::1]:8000") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://localhost:8000", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_page_of_another_site_may_look_but_not_touch(headers: dict[str, str]):
    assert code("POST", host="localhost:8000", **headers) == "foreign_origin"
    assert code("GET", host="localhost:8000", **headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser: curl, a script
        {"origin": "http://localhost:8000"},
        {"origin": "http://localhost:8000", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},  # typed into the address bar
    ],
)
def test_our_own_pages_and_programs_may_change_things(headers: dict[str, str]):
    assert code("POST", host="localhost:8000", **headers) is None


def test_a_foreign_page_cannot_upload(client: TestClient):
    from demeter.photos.models import PhotoSession  # noqa: PLC0415

    answer = client.post(
        "/api/v1/stock/photo",
        files=[("files", ("bed.jpg", jpeg()))],
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert answer.json()["code"] == "foreign_origin"
    assert row_count(PhotoSession) == 0


def test_every_answer_is_fenced_in(client: TestClient):
    image = client.get(f"/api/v1/photos/sessions/{upload_session(client)}").json()["images"][0]
    for path in ("/", "/health/live", "/nowhere", image["original_url"], "/api/v1/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
