"""Tokens with which a person's programs act: shown once, kept as a hash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from demeter.accounts.errors import RoleTooHigh, TokenNotFound
from demeter.accounts.models import ApiToken, User, UserRole
from demeter.accounts.secrets import digest, new_secret
from demeter.core import logs

PREFIX = "dmt_"
SEEN_EVERY = timedelta(minutes=1)
log = logs.get(__name__)


def create_token(
    session: Session,
    owner: User,
    by: User,
    *,
    name: str,
    role: UserRole | None = None,
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown this once.

    Raises:
        RoleTooHigh: the token would do more than its owner may.
    """
    scope = role or owner.role
    if scope.rank < owner.role.rank:
        raise RoleTooHigh(
            f"{owner.username} is {owner.role}: no token of theirs can be {scope}",
            owner_role=owner.role,
            role=scope,
        )
    secret = new_secret(PREFIX)
    token = ApiToken(
        token_sha256=digest(secret),
        user_id=owner.id,
        name=name,
        role=scope,
        created_by_user_id=by.id,
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    session.add(token)
    session.flush()
    log.info("token_made", token_id=token.id, for_user_id=owner.id, role=scope.value)
    return token, secret


def token_of(session: Session, secret: str) -> ApiToken | None:
    """The token with this secret that may be used now, or ``None``."""
    now = datetime.now(UTC)
    token = session.scalar(
        select(ApiToken)
        .join(User, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_sha256 == digest(secret),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            User.is_active,
        )
    )
    if token and (token.last_used_at is None or token.last_used_at < now - SEEN_EVERY):
        session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))
    return token


def scope_of(token: ApiToken) -> UserRole:
    """What the token may do now: its owner's role may have become a lower one."""
    return max(token.role, token.user.role, key=lambda role: role.rank)


def find_token(session: Session, token_id: int, owner: User | None = None) -> ApiToken:
    """The token with this number, of ``owner`` where one is given.

    Raises:
        TokenNotFound: none has it.
    """
    token = session.get(ApiToken, token_id)
    if token is None or (owner is not None and token.user_id != owner.id):
        raise TokenNotFound(f"no token has the number {token_id}", token_id=token_id)
    return token


def revoke_token(session: Session, token_id: int) -> ApiToken:
    """End a token; ending it again changes nothing.

    Raises:
        TokenNotFound: no token has this number.
    """
    token = find_token(session, token_id)
    token.revoked_at = token.revoked_at or datetime.now(UTC)
    session.flush()
    log.info("token_revoked", token_id=token.id)
    return token
