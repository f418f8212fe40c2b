"""Logging in with a password, and the browser's session that follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from demeter.accounts import passwords
from demeter.accounts.errors import TooManyLogins, WrongPassword
from demeter.accounts.models import LoginFailure, LoginSession, User
from demeter.accounts.secrets import digest, new_secret
from demeter.core import logs

log = logs.get(__name__)

IDLE = timedelta(days=30)  # a phone in the field is used every week or so
LONGEST = timedelta(days=180)
SEEN_EVERY = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
MOST_FOR_NAME, MOST_FROM_ADDRESS = 10, 50


def log_in(session: Session, username: str, password: str, address: str) -> User | None:
    """The user whose name and password these are, or ``None``: one more failure is noted.

    The caller commits in both cases, and then answers ``None`` with `WrongPassword`.

    Raises:
        TooManyLogins: too many wrong passwords lately, for this name or from this address.
    """
    _refuse_many(session, username, address)
    user = session.scalar(select(User).where(User.username == username, User.is_active))
    is_right, better = passwords.check_password(password, user.hashed_password if user else None)
    if user is None or not is_right:
        session.add(LoginFailure(username=username[:200], address=address))
        log.warning("login_failed", username=username[:200], address=address)
        return None
    if better is not None:
        user.hashed_password = better
    session.execute(delete(LoginFailure).where(LoginFailure.username == username))
    return user


def wrong_password() -> WrongPassword:
    """What is said of a failure: not which of the two was wrong."""
    return WrongPassword("name or password is not right")


def open_session(session: Session, user: User, address: str, user_agent: str | None) -> str:
    """The secret for the browser's cookie, new at each login."""
    secret = new_secret()
    now = datetime.now(UTC)
    user.last_login = now
    session.add(
        LoginSession(
            token_sha256=digest(secret),
            user_id=user.id,
            expires_at=now + LONGEST,
            address=address,
            user_agent=(user_agent or "")[:300] or None,
        )
    )
    session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
    session.flush()
    log.info("logged_in", user_id=user.id, address=address)
    return secret


def user_of(session: Session, secret: str) -> User | None:
    """Whose session this is, or ``None``: unknown, expired, or its person inactive."""
    now = datetime.now(UTC)
    row = session.scalar(
        select(LoginSession)
        .join(User)
        .where(
            LoginSession.token_sha256 == digest(secret),
            LoginSession.expires_at > now,
            LoginSession.last_seen_at > now - IDLE,
            User.is_active,
        )
    )
    if row is None:
        return None
    if row.last_seen_at < now - SEEN_EVERY:
        session.execute(
            update(LoginSession).where(LoginSession.id == row.id).values(last_seen_at=now)
        )
    return row.user


def close_session(session: Session, secret: str) -> None:
    """Log this browser out."""
    gone = delete(LoginSession).where(LoginSession.token_sha256 == digest(secret))
    user_id = session.scalar(gone.returning(LoginSession.user_id))
    if user_id is not None:
        log.info("logged_out", user_id=user_id)


def close_all(session: Session, user: User) -> None:
    """Log a person out everywhere."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def _refuse_many(session: Session, username: str, address: str) -> None:
    since = datetime.now(UTC) - WINDOW
    session.execute(delete(LoginFailure).where(LoginFailure.at < since))
    for_name, from_address, first = session.execute(
        select(
            func.count().filter(LoginFailure.username == username),
            func.count().filter(LoginFailure.address == address),
            func.min(LoginFailure.at),
        ).where(or_(LoginFailure.username == username, LoginFailure.address == address))
    ).one()
    if for_name >= MOST_FOR_NAME or from_address >= MOST_FROM_ADDRESS:
        log.warning("door_closed", username=username[:200], address=address)
        wait_s = max(1, round((first - since).total_seconds()))
        raise TooManyLogins(f"try again in {wait_s} s", retry_after_s=wait_s)
