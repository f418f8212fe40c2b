"""People, their tokens, and the record of changes over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.accounts import identity, people, queries, tokens
from demeter.accounts.errors import NotSignedIn, RoleTooHigh
from demeter.accounts.identity import acting_user
from demeter.accounts.models import User, UserRole
from demeter.accounts.schemas import (
    AuditPage,
    MeRead,
    PersonCreate,
    PersonInvited,
    PersonPage,
    PersonRead,
    PersonUpdate,
    TokenCreate,
    TokenCreated,
    TokenPage,
    TokenRead,
)
from demeter.core.db import transaction
from demeter.core.http.commands import run_once
from demeter.core.http.etags import etag_of, require_match
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.http.requests import link_url
from demeter.core.permissions import Permission

router = APIRouter(prefix="/api/v1", tags=["people"], responses=PROBLEMS | {409: PROBLEM})

Username = Annotated[str, Path(min_length=1, max_length=150, pattern=r"^[^\x00]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=40)]
Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]
TokenId = Annotated[int, Path(ge=1, le=2**62)]


@router.get("/me", summary="Who acts", **requires(Permission.SEE))
def get_me() -> MeRead:
    """The person whose cookie or token this is."""
    acting = identity.current()
    if acting is None:
        raise NotSignedIn("nobody is signed in")
    return MeRead.model_validate(
        {
            "username": acting.username,
            "name": acting.full_name,
            "role": acting.role,
            "language": acting.language,
        }
    )


@router.get("/people", summary="People", **requires(Permission.SEE))
def list_people(
    limit: Limit = 100,
    cursor: Cursor = None,
    search: Text = None,
    role: UserRole | None = None,
    active: bool | None = None,
) -> PersonPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.people(
            session, limit=limit, cursor=cursor, search=search, role=role, active=active
        )


@router.get("/people/{username}", summary="One person", **requires(Permission.SEE))
def get_person(username: Username, response: Response) -> PersonRead:
    """The `ETag` goes back as `If-Match` with a change."""
    with transaction() as session:
        read = queries.person(people.find_person(session, username))
        response.headers["etag"] = etag_of(read)
        return read


@router.post("/people", status_code=201, summary="Add a person", **requires(Permission.ADMINISTER))
def add_person(body: PersonCreate, once: OnceOnly, request: Request) -> PersonInvited:
    """The answer has the link by which the person comes in, once."""

    def act(session: Session) -> PersonInvited:
        user = people.add_person(
            session, body.name, body.role, username=body.username, email=body.email
        )
        path = people.invite(session, user, acting_user(session))
        return PersonInvited(person=queries.person(user), link=link_url(request, path))

    return run_once(once, body, act, untold=("link",))


@router.patch(
    "/people/{username}",
    summary="Change a person",
    responses={412: PROBLEM},
    **requires(Permission.ADMINISTER),
)
def update_person(
    username: Username, body: PersonUpdate, response: Response, if_match: IfMatch = None
) -> PersonRead:
    """Role, name, address, or whether they may come in at all; what is absent stays."""
    with transaction() as session:
        user = people.find_person(session, username)
        require_match(queries.person(user), if_match, username)
        people.update_person(session, user, body)
        read = queries.person(user)
        response.headers["etag"] = etag_of(read)
        return read


@router.post(
    "/people/{username}/invite",
    summary="A new link for a person who has not come in",
    **requires(Permission.ADMINISTER),
)
def invite(username: Username, once: OnceOnly, request: Request) -> PersonInvited:
    """Earlier links of the person end."""
    return _linked(once, request, username, people.invite)


@router.post(
    "/people/{username}/reset-password",
    summary="A link for a new password",
    **requires(Permission.ADMINISTER),
)
def reset_password(username: Username, once: OnceOnly, request: Request) -> PersonInvited:
    """The old password works until the link was followed."""
    return _linked(once, request, username, people.reset_password)


@router.get("/tokens", summary="Tokens, last made first", **requires(Permission.SEE))
def list_tokens(limit: Limit = 100, cursor: Cursor = None, everybody: bool = False) -> TokenPage:
    """One's own; admins may ask for everybody's."""
    with transaction() as session:
        user = acting_user(session)
        if everybody:
            identity.require(Permission.ADMINISTER)
        return queries.tokens(
            session, owner=None if everybody else user, limit=limit, cursor=cursor
        )


@router.post("/tokens", status_code=201, summary="Make a token", **requires(Permission.SEE))
def create_token(body: TokenCreate, once: OnceOnly) -> TokenCreated:
    """Its secret comes with the answer, once."""

    def act(session: Session) -> TokenCreated:
        user = acting_user(session)
        owner = people.find_person(session, body.username) if body.username else user
        if owner.id != user.id:
            identity.require(Permission.ADMINISTER)
        role = _scope(owner, user, body.role)
        row, secret = tokens.create_token(
            session, owner, user, name=body.name, role=role, days=body.days
        )
        session.flush()
        session.refresh(row)
        return TokenCreated(token=queries.token(row), secret=secret)

    return run_once(once, body, act, untold=("secret",))


@router.delete("/tokens/{token_id}", summary="End a token", **requires(Permission.SEE))
def revoke_token(token_id: TokenId) -> TokenRead:
    """Ending it again changes nothing."""
    with transaction() as session:
        row = tokens.find_token(session, token_id)
        if row.user_id != acting_user(session).id:
            identity.require(Permission.ADMINISTER)
        return queries.token(tokens.revoke_token(session, token_id))


@router.get("/audit", summary="Changes, last first", **requires(Permission.ADMINISTER))
def list_changes(
    limit: Limit = 100,
    cursor: Cursor = None,
    subject: Text = None,
    subject_key: Text = None,
    username: Text = None,
) -> AuditPage:
    """Master data and people: who, when, what, before and after."""
    with transaction() as session:
        return queries.changes(
            session,
            limit=limit,
            cursor=cursor,
            subject=subject,
            subject_key=subject_key,
            username=username,
        )


def _linked(
    once: OnceOnly,
    request: Request,
    username: str,
    make: Callable[[Session, User, User], str],
) -> PersonInvited:
    def act(session: Session) -> PersonInvited:
        user = people.find_person(session, username)
        path = make(session, user, acting_user(session))
        return PersonInvited(person=queries.person(user), link=link_url(request, path))

    return run_once(once, {"username": username}, act, untold=("link",))


def _scope(owner: User, user: User, asked: UserRole | None) -> UserRole:
    """What a new token may do; made with a token, no more than that one.

    Raises:
        RoleTooHigh: it would do more.
    """
    acting = identity.current()
    most = acting.role if acting and owner.id == user.id else owner.role
    if asked is not None and asked.rank < most.rank:
        raise RoleTooHigh(f"who acts here is {most}: the token cannot be {asked}", role=asked)
    return asked or most
