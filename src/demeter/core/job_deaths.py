"""How often a job's worker died over it: not the same as how often the job was tried.

A job that waits for an outage is tried many times and harms nobody. One whose worker dies
each time is given up in the end.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base, CreatedRow


class JobDeaths(CreatedRow, Base):
    """A job over which workers died, and how many; it goes with its job."""

    __tablename__ = "job_deaths"

    job_id: Mapped[int] = mapped_column(primary_key=True)
    deaths: Mapped[int]


def note(session: Session, job_id: int) -> int:
    """Count one more death; how many there were."""
    return session.execute(
        insert(JobDeaths)
        .values(job_id=job_id, deaths=1)
        .on_conflict_do_update(
            index_elements=[JobDeaths.job_id], set_={"deaths": JobDeaths.deaths + 1}
        )
        .returning(JobDeaths.deaths)
    ).scalar_one()
