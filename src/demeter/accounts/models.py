"""Users and their roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base, Changed, pg_enum
from demeter.core.errors import NotFound
from demeter.core.settings import settings


class UserRole(StrEnum):
    """What a person may do, most first."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    WORKER = "worker"
    VIEWER = "viewer"


class UserNotFound(NotFound):
    """No user has this name."""

    code = "user_not_found"
    title = "No such user"
    next_action = "Name a user that exists, or create one."


class User(Changed, Base):
    """A person, or the service itself."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    hashed_password: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    role: Mapped[UserRole] = mapped_column(pg_enum(UserRole, "user_role"), server_default="worker")
    last_login: Mapped[datetime | None]


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
