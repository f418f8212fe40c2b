"""Links that do one thing once: the first start, an invitation, a new password, a sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.accounts.errors import LinkInvalid
from demeter.accounts.models import LinkPurpose, OneTimeLink, User
from demeter.accounts.secrets import digest, new_secret
from demeter.core import logs

log = logs.get(__name__)

VALID = {
    LinkPurpose.FIRST_START: timedelta(days=1),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.PASSWORD_RESET: timedelta(days=1),
    LinkPurpose.SIGN_IN: timedelta(hours=1),
}
PATHS = {
    LinkPurpose.FIRST_START: "/start",
    LinkPurpose.INVITATION: "/join",
    LinkPurpose.PASSWORD_RESET: "/reset",
    LinkPurpose.SIGN_IN: "/enter",
}


def create_link(
    session: Session, purpose: LinkPurpose, user: User | None = None, by: User | None = None
) -> str:
    """The path of a new link, shown this once; earlier ones for the same end."""
    session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.purpose == purpose,
            OneTimeLink.user_id.is_not_distinct_from(user.id if user else None),
            OneTimeLink.used_at.is_(None),
        )
        .values(used_at=datetime.now(UTC))
    )
    secret = new_secret()
    session.add(
        OneTimeLink(
            token_sha256=digest(secret),
            purpose=purpose,
            user_id=user.id if user else None,
            created_by_user_id=by.id if by else None,
            expires_at=datetime.now(UTC) + VALID[purpose],
        )
    )
    session.flush()
    log.info("link_made", purpose=purpose.value, for_user_id=user.id if user else None)
    return f"{PATHS[purpose]}/{secret}"


def find_link(
    session: Session, secret: str, purpose: LinkPurpose, *, lock: bool = False
) -> OneTimeLink:
    """The link with this secret, if it still works; ``lock`` it before it is used up.

    Raises:
        LinkInvalid: unknown, used, expired, for something else, or its person inactive.
    """
    query = select(OneTimeLink).where(
        OneTimeLink.token_sha256 == digest(secret), OneTimeLink.purpose == purpose
    )
    link = session.scalar(query.with_for_update() if lock else query)
    is_usable = (
        link is not None
        and link.used_at is None
        and link.expires_at > datetime.now(UTC)
        and (link.user is None or link.user.is_active)
    )
    if link is None or not is_usable:
        raise LinkInvalid("the link was used, has expired, or is not whole")
    return link


def use_link(session: Session, secret: str, purpose: LinkPurpose) -> OneTimeLink:
    """The same, and used up: nobody can follow it again.

    Raises:
        LinkInvalid: as `find_link`.
    """
    link = find_link(session, secret, purpose, lock=True)
    link.used_at = datetime.now(UTC)
    session.flush()
    log.info("link_used", purpose=purpose.value, user_id=link.user_id)
    return link


def end_links(session: Session, user: User) -> None:
    """No link of this person's works any more."""
    session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.user_id == user.id, OneTimeLink.used_at.is_(None))
        .values(used_at=datetime.now(UTC))
    )
