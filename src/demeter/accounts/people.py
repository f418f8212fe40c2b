"""People: added, invited, given a role, let go; the last admin stays."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import links, logins, passwords
from demeter.accounts.errors import LastAdmin, UserNameTaken, UserNotFound
from demeter.accounts.models import LinkPurpose, User, UserRole
from demeter.accounts.schemas import PersonUpdate
from demeter.core import db, logs, site
from demeter.core.settings import settings

LOCK = "demeter.people"
log = logs.get(__name__)


def find_person(session: Session, username: str) -> User:
    """The person of this name, active or not.

    Raises:
        UserNotFound: nobody is called that.
    """
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise UserNotFound(f"no user is named {username!r}", username=username)
    return user


def add_person(
    session: Session,
    name: str,
    role: UserRole,
    *,
    username: str | None = None,
    email: str | None = None,
) -> User:
    """A new person, who cannot log in before an invitation was followed.

    ``name`` is what people call them; the user name is made from it where none is given.

    Raises:
        UserNameTaken: somebody has the user name, or the email, already.
    """
    db.lock_key(session, LOCK, "names")
    first, _, last = name.strip().partition(" ")
    wanted = username or _free_username(session, first)
    if session.scalar(select(User.id).where(User.username == wanted)) is not None:
        raise UserNameTaken(f"somebody is called {wanted} already", username=wanted)
    if email:
        _require_free_email(session, email)
    user = User(
        username=wanted,
        email=email or None,
        hashed_password=passwords.NO_PASSWORD,
        first_name=first or None,
        last_name=last.strip() or None,
        role=role,
    )
    session.add(user)
    session.flush()
    return user


def invite(session: Session, user: User, by: User | None) -> str:
    """The path of a link by which the person chooses a password; earlier ones end."""
    return links.create_link(session, LinkPurpose.INVITATION, user, by)


def reset_password(session: Session, user: User, by: User | None) -> str:
    """The path of a link by which the person chooses a new password."""
    return links.create_link(session, LinkPurpose.PASSWORD_RESET, user, by)


def set_password(session: Session, user: User, password: str) -> None:
    """A new password: whoever was logged in as this person, and every link, is out.

    Raises:
        PasswordTooWeak: as `hash_password`.
    """
    user.hashed_password = passwords.hash_password(
        password, user.username, user.first_name, user.last_name, user.email, site.site().name
    )
    log.info("password_set", for_user_id=user.id)
    logins.close_all(session, user)
    links.end_links(session, user)
    session.flush()


def change_role(session: Session, user: User, role: UserRole) -> None:
    """Give a person another role.

    Raises:
        LastAdmin: nobody else could let people in.
    """
    if role is not UserRole.ADMIN:
        _keep_one_admin(session, user)
    user.role = role
    session.flush()


def deactivate(session: Session, user: User) -> None:
    """Let a person go: logged out everywhere, links and tokens dead; their history stays.

    Raises:
        LastAdmin: nobody else could let people in.
    """
    _keep_one_admin(session, user)
    user.is_active = False
    logins.close_all(session, user)
    links.end_links(session, user)
    session.flush()


def reactivate(session: Session, user: User) -> None:
    """Take a person back, with the role and password they had."""
    user.is_active = True
    session.flush()


def update_person(session: Session, user: User, changes: PersonUpdate) -> None:
    """Change what is given of a person; what is absent stays.

    Raises:
        LastAdmin, UserNameTaken: as the acts of its parts.
    """
    given = changes.model_fields_set
    if changes.name is not None:
        first, _, last = changes.name.partition(" ")
        user.first_name, user.last_name = first, last.strip() or None
    if "email" in given and changes.email != user.email:
        if changes.email:
            db.lock_key(session, LOCK, "names")
            _require_free_email(session, changes.email)
        user.email = changes.email
    if changes.role is not None and changes.role is not user.role:
        change_role(session, user, changes.role)
    if changes.is_active is not None and changes.is_active is not user.is_active:
        (reactivate if changes.is_active else deactivate)(session, user)
    session.flush()


def _require_free_email(session: Session, email: str) -> None:
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        raise UserNameTaken(f"somebody has the address {email} already", email=email)


def admins(session: Session) -> list[User]:
    """Active admins who can log in."""
    rows = session.scalars(select(User).where(User.role == UserRole.ADMIN, User.is_active))
    return [user for user in rows if passwords.can_log_in(user.hashed_password)]


def _keep_one_admin(session: Session, user: User) -> None:
    db.lock_key(session, LOCK, "admins")
    session.refresh(user)
    if [admin.id for admin in admins(session)] == [user.id]:
        raise LastAdmin(f"{user.username} is the last admin who can log in", username=user.username)


def _free_username(session: Session, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "", plain) or "persona"
    taken = set(session.scalars(select(User.username).where(User.username.startswith(base))))
    taken.add(settings().service_user)
    number, candidate = 1, base
    while candidate in taken:
        number += 1
        candidate = f"{base}{number}"
    return candidate
