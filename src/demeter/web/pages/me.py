"""One's own page: password, tokens, language, and the way out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from demeter.accounts import identity, logins, people, queries, tokens
from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.http.secure_connections import require_secure
from demeter.core.permissions import Permission
from demeter.web import render
from demeter.web.pages import door

router = APIRouter(prefix="/me")

Password = Annotated[str, Form(max_length=200)]


@router.get("", **requires(Permission.SEE))
def show_me(request: Request, changed: bool = False) -> Response:
    """What one can change of oneself."""
    return _page(request, changed=changed)


@router.post("/password", **requires(Permission.SEE, dependencies=[Depends(require_secure)]))
def change_password(request: Request, old: Password = "", new: Password = "") -> Response:
    """A new password; every other browser of this person is out, this one has a new session."""
    try:
        with transaction() as session:
            user = acting_user(session)
            secret = None
            if logins.log_in(session, user.username, old, _address(request)) is not None:
                people.set_password(session, user, new)
                secret = door.open_session(session, request, user)
        if secret is None:
            raise logins.wrong_password()
    except DomainError as error:
        return _page(request, problem=error.problem())
    return door.let_in(request, secret, "/me?changed=true")


@router.post("/tokens", **requires(Permission.SEE))
def create_token(
    request: Request,
    name: Annotated[str, Form(max_length=150)] = "",
    days: Annotated[str, Form(max_length=4)] = "",
) -> Response:
    """A token for a program of one's own; its secret is shown this once."""
    written = name.replace("\x00", "").strip()
    valid_days = int(days) if days.isascii() and days.isdigit() and 0 < int(days) <= 3660 else None  # noqa: PLR2004
    with transaction() as session:
        user = acting_user(session)
        _, secret = tokens.create_token(
            session, user, user, name=written or "token", days=valid_days
        )
    return _page(request, secret=secret)


@router.post("/tokens/{token_id}/revoke", **requires(Permission.SEE))
def revoke_token(token_id: int) -> RedirectResponse:
    """It does not work any more."""
    with transaction() as session:
        row = tokens.find_token(session, token_id, owner=acting_user(session))
        tokens.revoke_token(session, row.id)
    return RedirectResponse("/me", status_code=303)


def _page(request: Request, **values: Any) -> Response:
    problem = values.get("problem")
    with transaction() as session:
        user = acting_user(session)
        own = queries.tokens(session, owner=user).items
        read = queries.person(user)
    acting = identity.current()
    assert acting is not None
    return render.page(
        request,
        "people/me.html",
        status_code=problem["status"] if problem else 200,
        person=read,
        tokens=[row for row in own if row.revoked_at is None],
        secret=values.get("secret"),
        changed=values.get("changed", False),
        problem=problem,
        least=people.passwords.SHORTEST,
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
