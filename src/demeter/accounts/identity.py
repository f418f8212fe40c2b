"""Who acts: set where a request or command begins, asked for where something is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from demeter.accounts.errors import NotAllowed, NotSignedIn, OtherUserNamed
from demeter.accounts.models import User, UserRole
from demeter.accounts.queries import find_user
from demeter.core.permissions import ROLES, Permission


class Means(StrEnum):
    """How the acting person was known."""

    LOGIN = "login"
    TOKEN = "token"  # noqa: S105  a means, no token
    COMMAND = "command"  # whoever owns the machine


@dataclass(frozen=True, slots=True)
class Identity:
    """The acting person, and what they may do here: a token may less than its owner."""

    user_id: int
    username: str
    full_name: str
    role: UserRole
    means: Means
    language: str | None = None
    secret: str | None = None  # of the login, from which its forms' token is made


@dataclass(frozen=True, slots=True)
class MachineOwner:
    """Whoever runs commands on the machine itself: they may act in anybody's name."""


Acting = Identity | MachineOwner | None
_current: ContextVar[Acting] = ContextVar("identity")  # unset: as the process was started
_process: Acting = None


def own_machine() -> None:
    """This process was started by who owns the machine, to carry out commands."""
    global _process  # noqa: PLW0603  said once, at the start
    _process = MachineOwner()


def current() -> Identity | None:
    """Who acts, or ``None`` where nobody has said yet."""
    acting = _current.get(_process)
    return acting if isinstance(acting, Identity) else None


def act_as(acting: Acting) -> None:
    """Let what follows in this request or command be this person's doing."""
    _current.set(acting)


@contextmanager
def acting_as(acting: Acting) -> Iterator[None]:
    """Let what happens inside be this person's doing."""
    before = _current.set(acting)
    try:
        yield
    finally:
        _current.reset(before)


def of_user(user: User, means: Means) -> Identity:
    """A person with the whole of their role."""
    return Identity(user.id, user.username, user.full_name, user.role, means, user.language)


def acting_user(session: Session, named: str | None = None) -> User:
    """The user who acts. ``named`` is whom the request says, who must be the same.

    On the machine itself anybody may be named; nobody named is the service user.

    Raises:
        NotSignedIn: nobody is signed in.
        OtherUserNamed: the request names somebody else.
        UserNotFound: on the machine: nobody, or nobody active, is called that.
    """
    acting = _current.get(_process)
    if acting is None:
        raise NotSignedIn("nobody is signed in")
    if isinstance(acting, MachineOwner) or acting.means is Means.COMMAND:
        user = find_user(
            session, named or (None if isinstance(acting, MachineOwner) else acting.username)
        )
        _current.set(of_user(user, Means.COMMAND))
        return user
    if named is not None and named != acting.username:
        raise OtherUserNamed(
            f"{acting.username} acts, not {named}", acting=acting.username, named=named
        )
    return session.get_one(User, acting.user_id)


def require(permission: Permission) -> None:
    """For what only some of a route's requests ask for, such as a sale among movements.

    Raises:
        NotSignedIn: nobody is signed in.
        NotAllowed: the acting person's role does not have it; on the machine itself all do.
    """
    acting = _current.get(_process)
    if acting is None:
        raise NotSignedIn("nobody is signed in")
    if isinstance(acting, Identity) and acting.means is not Means.COMMAND:
        require_role(acting, permission)


def has(permission: Permission) -> bool:
    """Whether who acts has a permission; on the machine itself all do.

    Raises:
        NotSignedIn: nobody is signed in.
    """
    acting = _current.get(_process)
    if acting is None:
        raise NotSignedIn("nobody is signed in")
    if isinstance(acting, MachineOwner) or acting.means is Means.COMMAND:
        return True
    return acting.role in ROLES[permission]


def require_role(acting: Identity, permission: Permission) -> None:
    """The person may, or it is refused by name.

    Raises:
        NotAllowed: their role does not have the permission.
    """
    roles = ROLES[permission]
    if acting.role not in roles:
        raise NotAllowed(
            f"{acting.username} is {acting.role}; this takes {' or '.join(roles)}",
            role=acting.role,
            roles=list(roles),
        )
