"""Passwords from other machines: by TLS only, unless that is allowed."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.app import create_app
from demeter.core.settings import settings
from support.served import client
from support.signing_in import entrance, signed_in

__all__ = ["client"]

OUTSIDE = "192.168.1.77"


def browser(address: str, scheme: str = "http") -> TestClient:
    """A browser at this address; pages are asked for by an address of ours."""
    return TestClient(
        create_app(),
        base_url=f"{scheme}://192.168.1.20:8000",
        client=(address, 50_000),
        headers={"accept": "text/html", "accept-language": "es"},
        follow_redirects=False,
    )


@pytest.mark.parametrize(
    ("address", "scheme", "status"),
    [
        (OUTSIDE, "http", 403),
        (OUTSIDE, "https", 401),
        ("127.0.0.1", "http", 401),
        ("::1", "http", 401),
        ("::ffff:127.0.0.1", "http", 401),
        ("::ffff:192.168.1.77", "http", 403),
        ("unknown", "http", 403),
    ],
)
def test_a_password_is_taken_where_nobody_reads_along(
    client: TestClient, address: str, scheme: str, status: int
) -> None:
    form = {"username": "ana", "password": "three good words"}
    answer = browser(address, scheme).post("/login", data=form)
    assert answer.status_code == status
    assert ("no está cifrada" in answer.text) is (status == 403)


def test_the_page_says_so_before_anything_is_typed(client: TestClient) -> None:
    outside = browser(OUTSIDE).get("/login")
    assert outside.status_code == 200
    assert "no está cifrada" in outside.text
    assert '<form method="post" action="/login"' not in outside.text
    assert "no está cifrada" not in browser(OUTSIDE, "https").get("/login").text


@pytest.mark.parametrize("path", ["/start/x", "/join/x", "/reset/x"])
def test_links_that_take_a_password_are_refused_too(client: TestClient, path: str) -> None:
    assert browser(OUTSIDE).get(path).status_code == 403
    assert browser(OUTSIDE).post(path, data={"password": "three good words"}).status_code == 403


def test_it_can_be_allowed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_PLAIN_PASSWORDS", "true")
    settings.cache_clear()
    answer = browser(OUTSIDE).post("/login", data={"username": "ana", "password": "wrong words"})
    assert answer.status_code == 401


def test_who_is_in_works_and_cookies_over_tls_are_bound_to_it(client: TestClient) -> None:
    outside = browser(OUTSIDE, "https")
    answer = outside.get(entrance("luis", UserRole.SUPERVISOR))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-demeter_session=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert outside.get("/me").status_code == 200
    tokens = browser(OUTSIDE).get("/api/v1/people", headers=signed_in("ana"))
    assert tokens.status_code == 200


def test_only_names_are_told_to_come_by_tls_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMETER_HOST_NAMES", "plants.example.org")
    settings.cache_clear()

    def header(base_url: str) -> str | None:
        asked = TestClient(create_app(), base_url=base_url)
        return asked.get("/health/live").headers.get("strict-transport-security")

    assert header("https://plants.example.org")
    for base_url in ("http://plants.example.org", "https://localhost", "https://192.168.1.20"):
        assert header(base_url) is None
