"""People who are signed in: a token for the API, a link for a browser."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import links, people, tokens
from demeter.accounts.models import LinkPurpose, User, UserRole
from demeter.core.db import transaction
from demeter.core.settings import settings


def person(session: Session, username: str, role: UserRole = UserRole.ADMIN) -> User:
    """The person of this name, made where there is none."""
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        user = people.add_person(session, username.title(), role, username=username)
    return user


def signed_in(username: str | None = None, role: UserRole = UserRole.ADMIN) -> dict[str, str]:
    """The header with which a person's program comes; the service's own where none is named."""
    with transaction() as session:
        user = person(session, username or settings().service_user, role)
        user.role = role
        session.flush()
        _, secret = tokens.create_token(session, user, user, name="tests")
    return {"Authorization": f"Bearer {secret}"}


def entrance(username: str, role: UserRole = UserRole.ADMIN) -> str:
    """The path that lets a browser in as this person, once."""
    with transaction() as session:
        return links.create_link(session, LinkPurpose.SIGN_IN, person(session, username, role))
