"""Until there are accounts: no foreign name, no foreign page, and fences around our own."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from demeter.app import create_app
from demeter.core.errors import DomainError
from demeter.core.http.guards import OpenToOthers, _name, check_host, is_own_name, refusal_of
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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.10"])
def test_this_machine_alone_is_served(host: str):
    check_host(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.20", "10.0.0.1", "::ffff:10.0.0.1", "no.such.invalid"]
)
def test_an_address_that_others_reach_is_refused(host: str):
    with pytest.raises(OpenToOthers) as refused:
        check_host(host)
    assert "127.0.0.1" in refused.value.next_action


def test_what_comes_in_at_another_address_is_refused_however_the_server_was_started(
    fresh_database: str,
):
    outside = TestClient(create_app(), base_url="http://10.1.2.3:8000")
    answer = outside.get("/health/live")
    assert (answer.status_code, answer.json()["code"]) == (403, "open_to_others")


@pytest.mark.timeout(120)
def test_up_refuses_an_open_address_by_name(new_home: Path):
    answer = subprocess.run(
        [sys.executable, "-m", "demeter", "up"],
        env={**os.environ, "DEMETER_HOME": str(new_home), "DEMETER_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "DEMETER_HOST=0.0.0.0" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (new_home / "database").exists()


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
