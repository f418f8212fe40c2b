"""People, tokens and changes, as they are listed."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from demeter.accounts import passwords
from demeter.accounts.errors import UserNotFound
from demeter.accounts.models import ApiToken, AuditEntry, User, UserRole
from demeter.accounts.schemas import (
    AuditPage,
    AuditRead,
    PersonPage,
    PersonRead,
    TokenPage,
    TokenRead,
)
from demeter.core.pagination import last_id, next_cursor
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


def person(user: User) -> PersonRead:
    """A person as others see them."""
    return PersonRead(
        username=user.username,
        name=user.full_name,
        email=user.email,
        role=user.role,
        is_active=user.is_active,
        has_password=passwords.can_log_in(user.hashed_password),
        last_login=user.last_login,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def people(
    session: Session,
    *,
    limit: int = 100,
    cursor: str | None = None,
    search: str | None = None,
    role: UserRole | None = None,
    active: bool | None = None,
) -> PersonPage:
    """A page of people, first made first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = select(User).order_by(User.id).limit(limit + 1)
    if (after := last_id(cursor, "p")) is not None:
        query = query.where(User.id > after)
    if search:
        pattern = f"%{search.strip()}%"
        full_name = User.first_name + " " + User.last_name
        query = query.where(
            or_(
                User.username.ilike(pattern),
                User.first_name.ilike(pattern),
                full_name.ilike(pattern),
                User.email.ilike(pattern),
            )
        )
    if role is not None:
        query = query.where(User.role == role)
    if active is not None:
        query = query.where(User.is_active == active)
    rows = session.scalars(query).all()
    return PersonPage(
        items=[person(user) for user in rows[:limit]],
        next_cursor=next_cursor(rows, limit, "p", lambda user: user.id),
    )


def usernames(session: Session) -> list[tuple[str, str]]:
    """User name and full name of everybody, by name: to choose one from."""
    users = session.scalars(select(User).order_by(User.first_name, User.last_name, User.id))
    return [(user.username, user.full_name) for user in users]


def token(row: ApiToken) -> TokenRead:
    """A token without its secret."""
    return TokenRead(
        id=row.id,
        name=row.name,
        username=row.user.username,
        role=row.role,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def tokens(
    session: Session, *, owner: User | None, limit: int = 100, cursor: str | None = None
) -> TokenPage:
    """A page of tokens, last made first; all people's where ``owner`` is ``None``.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = select(ApiToken).order_by(ApiToken.id.desc()).limit(limit + 1)
    if owner is not None:
        query = query.where(ApiToken.user_id == owner.id)
    if (before := last_id(cursor, "t")) is not None:
        query = query.where(ApiToken.id < before)
    rows = session.scalars(query).all()
    return TokenPage(
        items=[token(row) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, "t", lambda row: row.id),
    )


def changes(
    session: Session,
    *,
    limit: int = 100,
    cursor: str | None = None,
    subject: str | None = None,
    subject_key: str | None = None,
    username: str | None = None,
) -> AuditPage:
    """A page of changes, last first.

    Raises:
        BadCursor: ``cursor`` did not come from a page.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if (before := last_id(cursor, "a")) is not None:
        query = query.where(AuditEntry.id < before)
    if subject is not None:
        query = query.where(AuditEntry.subject == subject)
    if subject_key is not None:
        query = query.where(AuditEntry.subject_key == subject_key)
    if username is not None:
        query = query.join(User, AuditEntry.user_id == User.id).where(User.username == username)
    rows = session.scalars(query).all()
    return AuditPage(
        items=[
            AuditRead(
                id=row.id,
                at=row.at,
                username=row.user.username if row.user else None,
                act=row.act,
                subject=row.subject,
                subject_key=row.subject_key,
                before=row.before,
                after=row.after,
            )
            for row in rows[:limit]
        ],
        next_cursor=next_cursor(rows, limit, "a", lambda row: row.id),
    )
