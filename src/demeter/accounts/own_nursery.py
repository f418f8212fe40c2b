"""The nursery's row as people read and change it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.schemas import NurseryRead, NurseryUpdate
from demeter.core import nursery
from demeter.core.nursery import Nursery
from demeter.core.site import Site


def read_nursery(session: Session) -> NurseryRead:
    """As its admin named it; before that with no name, and as it is taken to be."""
    row = session.scalar(select(Nursery))
    if row is not None:
        return NurseryRead.model_validate(row, from_attributes=True)
    site = Site()
    return NurseryRead.model_validate(
        {
            "name": site.name or "",
            "language": site.language,
            "time_zone": site.time_zone,
            "updated_at": None,
        }
    )


def change_nursery(session: Session, update: NurseryUpdate) -> NurseryRead:
    """Change what is given; this process knows it at once, others within ten seconds.

    Raises:
        TimeZoneUnknown: no time zone is called that.
    """
    values = read_nursery(session).model_dump(exclude={"updated_at"})
    values |= update.model_dump(exclude_none=True)
    nursery.name_nursery(session, **values)
    nursery.refresh(session)
    session.expire_all()
    return read_nursery(session)
