"""Coming in and going out, as a browser does it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from demeter.accounts import first_start, links, people
from demeter.accounts.authentication import COOKIE
from demeter.accounts.logins import MOST_FOR_NAME
from demeter.accounts.models import LinkPurpose, LoginSession, OneTimeLink, User, UserRole
from demeter.accounts.secrets import digest
from demeter.core.db import transaction
from demeter.core.nursery import Nursery
from support.served import client
from support.signing_in import entrance, person

__all__ = ["client"]
GOOD = "tres palabras largas"
PAGE = {"accept": "text/html"}


@pytest.fixture
def browser(client: TestClient) -> TestClient:
    """A browser in which nobody is signed in."""
    del client.headers["Authorization"]
    client.headers["accept"] = "text/html"
    return client


@pytest.fixture
def ana(client: TestClient) -> str:
    """The user name of a worker who has a password."""
    del client
    with transaction() as session:
        user = people.add_person(session, "Ana Quiroga", UserRole.WORKER)
        people.set_password(session, user, GOOD)
        return user.username


def log_in(browser: TestClient, username: str, password: str = GOOD, back: str = "/"):
    form = {"username": username, "password": password, "back": back}
    return browser.post("/login", data=form, follow_redirects=False)


def form_token(browser: TestClient) -> str:
    return re.findall(r'name="form-token" content="([^"]+)"', browser.get("/me").text)[0]


def test_who_is_not_in_is_asked_who_they_are_and_goes_on_where_they_wanted(
    browser: TestClient, ana: str
):
    asked = browser.get("/people", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?back=/people")
    let_in = log_in(browser, ana, back="/people")
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/people")
    assert "HttpOnly" in let_in.headers["set-cookie"]
    assert browser.get("/people").status_code == 200


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "\\\\evil.example"])
def test_login_leads_to_no_other_site(browser: TestClient, ana: str, back: str):
    assert log_in(browser, ana, back=back).headers["location"] == "/"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ana", "wrong password"), ("nobody", GOOD), ("demeter-service", "!")],
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    browser: TestClient, ana: str, username: str, password: str
):
    assert ana == "ana"
    answer = log_in(browser, username, password)
    assert answer.status_code == 401
    assert "El nombre o la contraseña no es correcta" in answer.text
    assert COOKIE not in browser.cookies


def test_many_wrong_passwords_close_the_door_for_that_name_only(browser: TestClient, ana: str):
    with transaction() as session:
        luis = people.add_person(session, "Luis", UserRole.WORKER)
        people.set_password(session, luis, GOOD)
    for _ in range(MOST_FOR_NAME):
        assert log_in(browser, ana, "wrong password").status_code == 401
    assert log_in(browser, ana).status_code == 429
    assert log_in(browser, "luis").status_code == 303


def test_each_login_has_a_secret_of_its_own_and_a_planted_one_is_none(
    browser: TestClient, ana: str
):
    browser.cookies.set(COOKIE, "planted")
    log_in(browser, ana)
    secrets = [cookie.value for cookie in browser.cookies.jar]
    assert len(set(secrets)) == 2  # the planted one, which opens nothing, and the new one
    with transaction() as session:
        (stored,) = session.scalars(select(LoginSession.token_sha256))
    assert stored == digest(next(secret for secret in secrets if secret != "planted"))


def test_who_logs_in_again_leaves_no_session_behind(browser: TestClient, ana: str):
    log_in(browser, ana)
    kept = browser.cookies[COOKIE]
    log_in(browser, ana)
    browser.cookies.clear()
    browser.cookies.set(COOKIE, kept)
    assert browser.get("/people", follow_redirects=False).status_code == 303


def test_the_log_names_who_came_who_was_refused_and_from_where(
    browser: TestClient, ana: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", "demeter")
    log_in(browser, ana)
    browser.get("/nursery")
    browser.post("/logout", data={"form_token": form_token(browser)})
    for _ in range(MOST_FOR_NAME + 1):
        log_in(browser, ana, "wrong password")
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    by_event = {line["event"]: line for line in lines}
    assert {"logged_in", "logged_out", "login_failed", "door_closed"} <= set(by_event)
    (refused,) = [line for line in lines if line.get("code") == "not_allowed"]
    assert refused["user_id"] == by_event["logged_out"]["user_id"]
    assert by_event["request"]["address"] == "127.0.0.1"
    assert "wrong password" not in caplog.text


def test_after_the_way_out_the_cookie_opens_nothing(browser: TestClient, ana: str):
    log_in(browser, ana)
    kept = browser.cookies[COOKIE]
    browser.post("/logout", data={"form_token": form_token(browser)}, follow_redirects=False)
    browser.cookies.set(COOKIE, kept)
    assert browser.get("/people", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("end", ["deactivated", "password", "expired", "idle"])
def test_a_session_ends(browser: TestClient, ana: str, end: str):
    log_in(browser, ana)
    assert browser.get("/people", follow_redirects=False).status_code == 200
    long_ago = datetime.now(UTC) - timedelta(days=400)
    with transaction() as session:
        user = people.find_person(session, ana)
        match end:
            case "deactivated":
                people.deactivate(session, user)
            case "password":
                people.set_password(session, user, "otras palabras largas")
            case "expired":
                session.execute(update(LoginSession).values(expires_at=long_ago))
            case _:
                session.execute(update(LoginSession).values(last_seen_at=long_ago))
    assert browser.get("/people", follow_redirects=False).status_code == 303


def test_a_form_of_another_session_changes_nothing(browser: TestClient):
    browser.get(entrance("marta"))
    for token in ("", "0" * 64):
        form = {"name": "Eva", "role": "admin", "form_token": token}
        assert browser.post("/people", data=form).status_code == 403
    form = {"name": "Eva", "role": "worker", "form_token": form_token(browser)}
    assert browser.post("/people", data=form).status_code == 200


def test_the_first_link_names_the_nursery_and_makes_its_admin_once(browser: TestClient):
    with transaction() as session:
        path = first_start.create_link(session)
    assert browser.get(path).status_code == 200
    form = {
        "nursery": "Vivero Los Cardones",
        "language": "es",
        "time_zone": "America/Santiago",
        "name": "Raúl Sosa",
        "password": GOOD,
    }
    weak = browser.post(path, data=form | {"password": "corta"})
    assert weak.status_code == 422
    assert "Una contraseña tiene de 10 a 200 letras" in weak.text
    nowhere = browser.post(path, data=form | {"time_zone": "Mars/Olympus"})
    assert nowhere.status_code == 422
    first = browser.post(path, data=form, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "Vivero Los Cardones" in browser.get("/people").text
    with transaction() as session:
        nursery = session.scalars(select(Nursery)).one()
        admin = session.scalars(select(User).where(User.username == "raul")).one()
        assert (nursery.time_zone, admin.role, admin.full_name) == (
            "America/Santiago",
            UserRole.ADMIN,
            "Raúl Sosa",
        )
    assert browser.get(path).status_code == 410
    assert browser.post(path, data=form).status_code == 410


def test_an_invitation_lets_its_person_in_once(browser: TestClient):
    with transaction() as session:
        eva = people.add_person(session, "Eva", UserRole.VIEWER)
        path = people.invite(session, eva, None)
    assert "eva" in browser.get(path).text
    assert browser.post(path, data={"password": "corta"}).status_code == 422
    chosen = browser.post(path, data={"password": GOOD}, follow_redirects=False)
    assert chosen.status_code == 303
    assert browser.get("/me").status_code == 200
    assert browser.post(path, data={"password": "otras palabras"}).status_code == 410
    browser.cookies.clear()
    assert log_in(browser, "eva").status_code == 303


@pytest.mark.parametrize("broken", ["tampered", "expired", "renewed", "other_purpose", "inactive"])
def test_a_link_that_is_not_whole_opens_nothing(browser: TestClient, broken: str):
    with transaction() as session:
        eva = people.add_person(session, "Eva", UserRole.VIEWER)
        path = people.invite(session, eva, None)
        match broken:
            case "tampered":
                path = path[:-1] + ("A" if path[-1] != "A" else "B")
            case "expired":
                session.execute(update(OneTimeLink).values(expires_at=datetime.now(UTC)))
            case "renewed":
                people.invite(session, eva, None)
            case "other_purpose":
                path = path.replace("/join/", "/reset/")
            case _:
                eva.is_active = False
    assert browser.get(path).status_code == 410
    assert browser.post(path, data={"password": GOOD}).status_code == 410


def test_a_link_of_the_demonstration_signs_in_without_a_form(browser: TestClient):
    with transaction() as session:
        marta = person(session, "marta", UserRole.SUPERVISOR)
        path = links.create_link(session, LinkPurpose.SIGN_IN, marta)
    entered = browser.get(f"{path}?back=/people", follow_redirects=False)
    assert (entered.status_code, entered.headers["location"]) == (303, "/people")
    assert browser.get("/people").status_code == 200
    assert browser.get(path).status_code == 410


def test_a_password_is_changed_by_who_knows_the_old_one_and_other_browsers_are_out(
    browser: TestClient, ana: str
):
    log_in(browser, ana)
    other = browser.cookies[COOKIE]
    browser.cookies.clear()
    log_in(browser, ana)
    token = form_token(browser)
    wrong = {"old": "not it at all", "new": "otras palabras largas", "form_token": token}
    assert browser.post("/me/password", data=wrong).status_code == 401
    before = browser.cookies[COOKIE]
    assert browser.post("/me/password", data=wrong | {"old": GOOD}).status_code == 200
    assert browser.get("/people", follow_redirects=False).status_code == 200
    for old in (before, other):
        browser.cookies.clear()
        browser.cookies.set(COOKIE, old)
        assert browser.get("/people", follow_redirects=False).status_code == 303
    browser.cookies.clear()
    assert log_in(browser, ana).status_code == 401
    assert log_in(browser, ana, "otras palabras largas").status_code == 303


def test_a_link_is_in_no_log(browser: TestClient, capfd: pytest.CaptureFixture[str]):
    with transaction() as session:
        path = people.invite(session, people.add_person(session, "Eva", UserRole.VIEWER), None)
    browser.get(path)
    logged = "".join(capfd.readouterr())
    assert "/join/***" in logged
    assert path not in logged
