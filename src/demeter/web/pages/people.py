"""People: who works here, what they may do, and the link that lets somebody in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from demeter.accounts import people, queries
from demeter.accounts.identity import acting_user
from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.http.requests import link_url
from demeter.core.permissions import Permission
from demeter.core.settings import settings
from demeter.web import render
from demeter.web.qr_codes import qr_code

router = APIRouter(prefix="/people")

Text = Annotated[str, Form(max_length=200)]
Role = Annotated[UserRole, Form()]


@router.get("", **requires(Permission.SEE))
def show_people(request: Request) -> Response:
    """The list, and the form that invites."""
    return _page(request)


@router.post("", **requires(Permission.ADMINISTER))
def invite_person(request: Request, name: Text = "", role: Role = UserRole.WORKER) -> Response:
    """A new person, and the link and QR that let them in: shown this once."""
    written = " ".join(name.replace("\x00", "").split())
    if not written:
        return _page(request, fault="people.name_missing", role=role)
    with transaction() as session:
        user = people.add_person(session, written, role)
        path = people.invite(session, user, acting_user(session))
        invited = queries.person(user)
    return _page(request, invited=invited, link=link_url(request, path))


@router.post("/{username}/role", **requires(Permission.ADMINISTER))
def change_role(request: Request, username: str, role: Role) -> Response:
    """Another role."""
    return _changed(request, username, lambda s, user: people.change_role(s, user, role))


@router.post("/{username}/link", **requires(Permission.ADMINISTER))
def renew_link(request: Request, username: str) -> Response:
    """A new link: to come in for the first time, or for a new password."""
    with transaction() as session:
        user = people.find_person(session, username)
        read = queries.person(user)
        make = people.reset_password if read.has_password else people.invite
        path = make(session, user, acting_user(session))
    return _page(request, invited=read, link=link_url(request, path))


@router.post("/{username}/deactivate", **requires(Permission.ADMINISTER))
def deactivate(request: Request, username: str) -> Response:
    """Out everywhere; what they did stays."""
    return _changed(request, username, people.deactivate)


@router.post("/{username}/activate", **requires(Permission.ADMINISTER))
def activate(request: Request, username: str) -> Response:
    """Back again."""
    return _changed(request, username, people.reactivate)


def _changed(request: Request, username: str, act: Any) -> Response:
    try:
        with transaction() as session:
            act(session, people.find_person(session, username))
    except DomainError as error:
        return _page(request, problem=error.problem())
    return RedirectResponse("/people", status_code=303)


def _page(request: Request, **values: Any) -> Response:
    problem = values.get("problem")
    with transaction() as session:
        rows = _everybody(session)
    link = values.get("link")
    return render.page(
        request,
        "people/list.html",
        status_code=problem["status"] if problem else 422 if values.get("fault") else 200,
        people=rows,
        roles=list(UserRole),
        role=values.get("role", UserRole.WORKER),
        invited=values.get("invited"),
        link=link,
        qr=qr_code(link) if link else None,
        problem=problem,
        fault=values.get("fault"),
    )


def _everybody(session: Session) -> list[Any]:
    """All people but the service itself, active first."""
    page = queries.people(session, limit=500)
    rows = [row for row in page.items if row.username != settings().service_user]
    return sorted(rows, key=lambda row: not row.is_active)
