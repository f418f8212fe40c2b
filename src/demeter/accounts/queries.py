"""People, found by their names."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.errors import UserNotFound
from demeter.accounts.models import User
from demeter.core.settings import settings


def find_user(session: Session, username: str | None) -> User:
    """The user of this name; with no name, the service user, found by its name too.

    Raises:
        UserNotFound: nobody, or nobody active, is called that.
    """
    name = username or settings().service_user
    user = session.scalar(select(User).where(User.username == name, User.is_active))
    if user is None:
        raise UserNotFound(f"no active user is named {name!r}", username=name)
    return user
