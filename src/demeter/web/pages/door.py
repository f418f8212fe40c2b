"""Coming in and going out: login, the first start, and what one-time links do."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from demeter.accounts import first_start, identity, links, logins, people
from demeter.accounts.authentication import COOKIE, SECURE_COOKIE, cookie_of, identify
from demeter.accounts.models import LinkPurpose, User
from demeter.accounts.policy import require_form_token
from demeter.core import nursery as nurseries
from demeter.core import site
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.secure_connections import is_secure, require_secure
from demeter.web import language as languages
from demeter.web import render
from demeter.web.language import own_path

router = APIRouter()
SECURE = [Depends(require_secure)]

Secret = str
Text = Annotated[str, Form(max_length=200)]
Password = Annotated[str, Form(max_length=200)]


@router.get("/login", dependencies=[Depends(identify)])
def ask_login(request: Request, back: str = "/") -> Response:
    """Name and password; who is in already goes on."""
    if identity.current() is not None:
        return RedirectResponse(own_path(back), status_code=303)
    with transaction() as session:
        is_first = first_start.is_due(session)
    return render.page(
        request,
        "door/login.html",
        back=own_path(back),
        username="",
        problem=None,
        is_first=is_first,
        is_secure=is_secure(request),
    )


@router.post("/login", dependencies=SECURE)
def log_in(
    request: Request, username: Text = "", password: Password = "", back: Text = "/"
) -> Response:
    """A new session of the browser, with a new secret."""
    name = username.replace("\x00", "").strip()
    try:
        with transaction() as session:
            user = logins.log_in(session, name, password, _address(request))
            secret = open_session(session, request, user) if user else None
        if secret is None:
            raise logins.wrong_password()
    except DomainError as error:
        return render.page(
            request,
            "door/login.html",
            status_code=error.status,
            back=own_path(back),
            username=name,
            problem=error.problem(),
            is_first=False,
            is_secure=True,
        )
    return let_in(request, secret, own_path(back))


@router.post("/logout", dependencies=[Depends(require_form_token)])
def log_out(request: Request) -> Response:
    """This browser is out; others of the same person stay in."""
    secret = cookie_of(request.headers)
    if secret:
        with transaction() as session:
            logins.close_session(session, secret)
    answer = RedirectResponse("/login", status_code=303)
    for name in (COOKIE, SECURE_COOKIE):
        answer.delete_cookie(name, path="/", secure=name == SECURE_COOKIE)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.get("/start/{secret}", dependencies=SECURE)
def ask_start(request: Request, secret: Secret) -> Response:
    """Who follows the first link names the nursery and becomes its admin."""
    with transaction() as session:
        links.find_link(session, secret, LinkPurpose.FIRST_START)
    return _start_page(request, secret)


@router.post("/start/{secret}", dependencies=SECURE)
def start(
    request: Request,
    secret: Secret,
    nursery: Text = "",
    language: Annotated[str, Form(pattern="^(es|en)$")] = "es",
    time_zone: Text = "",
    name: Text = "",
    username: Text = "",
    password: Password = "",
) -> Response:
    """The nursery has a name and an admin, who is in."""
    values = {
        "nursery": _clean(nursery),
        "language": language,
        "time_zone": _clean(time_zone),
        "name": _clean(name),
        "username": _clean(username),
    }
    try:
        with transaction() as session:
            admin = first_start.start(session, secret, password=password, **values)
            cookie = open_session(session, request, admin)
            nurseries.refresh(session)
    except DomainError as error:
        if error.status not in (409, 422):
            raise
        return _start_page(request, secret, values, error)
    answer = let_in(request, cookie, "/")
    languages.keep(request, answer, language)
    return answer


@router.get("/join/{secret}", dependencies=SECURE)
def ask_join(request: Request, secret: Secret) -> Response:
    """Who was invited chooses a password."""
    return _password_page(request, secret, LinkPurpose.INVITATION)


@router.get("/reset/{secret}", dependencies=SECURE)
def ask_reset(request: Request, secret: Secret) -> Response:
    """Who has forgotten the password chooses another."""
    return _password_page(request, secret, LinkPurpose.PASSWORD_RESET)


@router.post("/join/{secret}", dependencies=SECURE)
def join(request: Request, secret: Secret, password: Password = "") -> Response:
    """The person is in."""
    return _choose_password(request, secret, LinkPurpose.INVITATION, password)


@router.post("/reset/{secret}", dependencies=SECURE)
def reset(request: Request, secret: Secret, password: Password = "") -> Response:
    """The person is in with the new password; every older session is out."""
    return _choose_password(request, secret, LinkPurpose.PASSWORD_RESET, password)


@router.get("/enter/{secret}", dependencies=SECURE)
def enter(request: Request, secret: Secret, back: str = "/") -> Response:
    """In, once, without a password and without a form: the link of a demonstration."""
    with transaction() as session:
        link = links.use_link(session, secret, LinkPurpose.SIGN_IN)
        assert link.user is not None
        cookie = open_session(session, request, link.user)
    return let_in(request, cookie, own_path(back))


def login_path(back: str) -> str:
    """Where somebody logs in to go on at ``back``."""
    return f"/login?back={quote(back)}" if back != "/" else "/login"


def _start_page(
    request: Request,
    secret: str,
    values: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response:
    shown = values or {
        "nursery": "",
        "language": render.words_of(request).language,
        "time_zone": site.site().time_zone,
        "name": "",
        "username": "",
    }
    return render.page(
        request,
        "door/start.html",
        status_code=error.status if error else 200,
        action=f"/start/{secret}",
        values=shown,
        zones=sorted(zone for zone in available_timezones() if "/" in zone),
        problem=error.problem() if error else None,
        least=people.passwords.SHORTEST,
    )


def _password_page(
    request: Request, secret: str, purpose: LinkPurpose, error: DomainError | None = None
) -> Response:
    with transaction() as session:
        link = links.find_link(session, secret, purpose)
        assert link.user is not None
        name, username = link.user.full_name, link.user.username
    return render.page(
        request,
        "door/password.html",
        status_code=error.status if error else 200,
        action=f"{links.PATHS[purpose]}/{secret}",
        is_new=purpose is LinkPurpose.INVITATION,
        name=name,
        username=username,
        problem=error.problem() if error else None,
        least=people.passwords.SHORTEST,
    )


def _choose_password(
    request: Request, secret: str, purpose: LinkPurpose, password: str
) -> Response:
    try:
        with transaction() as session:
            link = links.use_link(session, secret, purpose)
            assert link.user is not None
            people.set_password(session, link.user, password)
            cookie = open_session(session, request, link.user)
    except DomainError as error:
        if error.status != 422:  # noqa: PLR2004  a password to be chosen again; the link stays
            raise
        return _password_page(request, secret, purpose, error)
    return let_in(request, cookie, "/")


def open_session(session: Session, request: Request, user: User) -> str:
    """A new session; the one this browser had is over."""
    former = cookie_of(request.headers)
    if former:
        logins.close_session(session, former)
    return logins.open_session(session, user, _address(request), request.headers.get("user-agent"))


def let_in(request: Request, secret: str, path: str) -> RedirectResponse:
    """On to a page, with the session's cookie; over TLS the cookie never leaves TLS."""
    is_secure = request.url.scheme == "https"
    answer = RedirectResponse(path, status_code=303)
    answer.set_cookie(
        SECURE_COOKIE if is_secure else COOKIE,
        secret,
        max_age=int(logins.LONGEST.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()
