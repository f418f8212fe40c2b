"""People, what they log in with, and the record of what was changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, ForeignKey, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum


class UserRole(StrEnum):
    """What a person may do, most first."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    WORKER = "worker"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """0 is the most; whoever has a role may do all that later ones may."""
        return list(UserRole).index(self)


class LinkPurpose(StrEnum):
    """What a one-time link does."""

    FIRST_START = "first_start"
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105  a purpose, no password
    SIGN_IN = "sign_in"


class AuditAct(StrEnum):
    """What happened to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class User(ChangedRow, Base):
    """A person, or the service itself."""

    __tablename__ = "users"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str | None]
    hashed_password: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    role: Mapped[UserRole] = mapped_column(pg_enum(UserRole, "user_role"), server_default="worker")
    language: Mapped[str | None]
    last_login: Mapped[datetime | None]

    @property
    def full_name(self) -> str:
        """As people call the person; the user name where no other is known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.username


class LoginSession(CreatedRow, Base):
    """A browser that a person logged in with; the secret in its cookie is kept as a hash."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]

    user: Mapped[User] = relationship()


class ApiToken(CreatedRow, Base):
    """What a program of a person's says who it is with; shown once, kept as a hash."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    role: Mapped[UserRole] = mapped_column(pg_enum(UserRole, "user_role"))
    created_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id])


class OneTimeLink(CreatedRow, Base):
    """A link that does one thing once: the first start, an invitation, a new password."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[bytes]
    purpose: Mapped[LinkPurpose] = mapped_column(
        Enum(LinkPurpose, native_enum=False, values_callable=lambda e: [m.value for m in e])
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship(foreign_keys=[user_id])


class LoginFailure(Base):
    """A password that was not right; many of them close the door for a while."""

    __tablename__ = "login_failures"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    address: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuditEntry(Base):
    """A change of master data or of a person: who, when, what, before and after."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    act: Mapped[AuditAct] = mapped_column(
        Enum(AuditAct, native_enum=False, values_callable=lambda e: [m.value for m in e])
    )
    subject: Mapped[str]
    subject_key: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    user: Mapped[User | None] = relationship()
