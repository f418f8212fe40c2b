"""How far a nursery is set up: what its first day still asks for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.settings import settings


@dataclass(frozen=True, slots=True)
class FirstDay:
    """Whether there are beds, something that grows in one, and a second person."""

    has_beds: bool
    has_growing: bool
    has_people: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to set up before the first photo."""
        return self.has_beds and self.has_growing and self.has_people


def first_day(session: Session) -> FirstDay | None:
    """What is set up; ``None`` once anything was counted, whatever is."""
    row = session.execute(text(_SET_UP), {"service": settings().service_user}).one()
    return None if row.is_counted else FirstDay(row.has_beds, row.has_growing, row.has_people)


_SET_UP = """
SELECT EXISTS (SELECT FROM storage_locations WHERE active) AS has_beds,
       EXISTS (SELECT FROM storage_location_config WHERE active) AS has_growing,
       (SELECT count(*) > 1 FROM users WHERE is_active AND username <> :service) AS has_people,
       EXISTS (TABLE counts) OR EXISTS (TABLE photo_processing_sessions) AS is_counted
"""
