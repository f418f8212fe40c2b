"""The first start: who follows its link becomes the admin and names the nursery."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.accounts import links, people
from demeter.accounts.errors import AlreadyStarted
from demeter.accounts.models import LinkPurpose, User, UserRole
from demeter.core import db
from demeter.core.nursery import name_nursery


def is_due(session: Session) -> bool:
    """Whether nobody can let anybody in yet."""
    return not people.admins(session)


def create_link(session: Session) -> str:
    """The path of the link that makes the first admin; an earlier one ends.

    Raises:
        AlreadyStarted: there is an admin.
    """
    if not is_due(session):
        raise AlreadyStarted("there is an admin already")
    return links.create_link(session, LinkPurpose.FIRST_START)


def start(
    session: Session,
    secret: str,
    *,
    nursery: str,
    language: str,
    time_zone: str,
    name: str,
    username: str | None,
    password: str,
) -> User:
    """The first admin, in a nursery that now has a name.

    Raises:
        LinkInvalid: the link does not work any more.
        AlreadyStarted: somebody was first.
        PasswordTooWeak, UserNameTaken, TimeZoneUnknown: say what to mend; the link stays.
    """
    db.lock_key(session, people.LOCK, "first start")
    links.use_link(session, secret, LinkPurpose.FIRST_START)
    if not is_due(session):
        raise AlreadyStarted("there is an admin already")
    name_nursery(session, nursery, language, time_zone)
    admin = people.add_person(session, name, UserRole.ADMIN, username=username or None)
    admin.language = language
    people.set_password(session, admin, password)
    return admin
