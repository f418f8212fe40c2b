"""Users and their roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, ChangedRow, pg_enum


class UserRole(StrEnum):
    """What a person may do, most first."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    WORKER = "worker"
    VIEWER = "viewer"


class User(ChangedRow, Base):
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
