"""How long photos wait, from how fast photos were counted lately: a range, or nothing known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median, stdev

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core import jobs
from demeter.photos.models import PhotoSession

LOOKED_AT = 60  # photos that ended last
FEWEST = 3  # measured: before, nothing is foretold
FEWEST_IN_LINE = 8
LATELY = timedelta(minutes=20)  # the queue's own pace; workers may have come and gone since
OUTLIER = 6  # times the median: the models' loading, an outage
SURE = 2  # standard deviations on either side


@dataclass(frozen=True, slots=True)
class PhotoTimes:
    """When a photo was taken in, begun and ended."""

    created_at: datetime
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds until photos are counted: at least, and at most."""

    low_s: int
    high_s: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from one photo's end to the next, and of one photo alone; of so many measured."""

    between_s: float
    spread_s: float
    photo_s: float
    measured: int

    def wait(self, photos: float) -> Wait:
        """How long so many photos take, of which parts may be done.

        The range is that of the sum of so many, and of how well the pace is known.
        """
        middle_s = max(photos * self.between_s, min(1.0, photos) * self.photo_s)
        around_s = SURE * self.spread_s * math.sqrt(photos + photos**2 / self.measured)
        return Wait(_stepped(max(0.0, middle_s - around_s)), _stepped(middle_s + around_s))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What stands in line: photos before one's own, and how long it takes with them.

    ``wait`` is ``None`` where no worker is alive or too little was measured.
    """

    photos_ahead: int
    wait: Wait | None


def forecast_of(session: Session, photo_session: PhotoSession) -> Forecast:
    """Of a session that is under way: until its last photo is counted."""
    ids = [image.id for image in photo_session.images]
    if photo_session.status.is_end or not ids:
        return Forecast(0, None)
    row = session.execute(text(_IN_LINE), {"first": min(ids), "last": max(ids)}).one()
    pace = current_pace(session)
    return Forecast(row.ahead, pace.wait(row.photos) if pace else None)


def forecast_all(session: Session) -> Forecast:
    """Of everything in line."""
    row = session.execute(text(_IN_LINE), {"first": 2**62, "last": 2**62}).one()
    pace = current_pace(session)
    return Forecast(row.ahead, pace.wait(row.photos) if pace else None)


def own_wait(session: Session, user_id: int) -> Wait | None:
    """Until everything that a person sent and that is under way is counted."""
    last = session.scalar(text(_LAST_OF), {"user": user_id})
    if last is None:
        return None
    row = session.execute(text(_IN_LINE), {"first": last, "last": last}).one()
    pace = current_pace(session)
    return pace.wait(row.photos) if pace else None


def current_pace(session: Session, now: datetime | None = None) -> Pace | None:
    """As measured lately; ``None`` where no worker is alive or too little was measured."""
    if jobs.workers_alive(session) == 0:
        return None
    rows = session.execute(text(_ENDED), {"most": LOOKED_AT}).all()
    at_a_time = session.execute(text(_AT_A_TIME)).scalar_one()
    return pace_of([PhotoTimes(*row) for row in rows], at_a_time, now or datetime.now(UTC))


def pace_of(ended: Sequence[PhotoTimes], at_a_time: int, now: datetime) -> Pace | None:
    """The pace that these photos show.

    Where photos stood in line lately, it is the time from one's end to the next one's: that has
    in it how many are counted at a time and what else the workers do. Else it is the time of a
    photo, shared by those that are counted ``at_a_time`` now.
    """
    if len(ended) < FEWEST:
        return None
    whole_s = _without_outliers([(e.finished_at - e.started_at).total_seconds() for e in ended])
    in_order = sorted(ended, key=lambda each: each.finished_at)
    gaps_s = [
        (after.finished_at - before.finished_at).total_seconds()
        for before, after in pairwise(in_order)
        if after.created_at < before.finished_at and before.finished_at > now - LATELY
    ]
    if len(gaps_s) >= FEWEST_IN_LINE:
        gaps_s = _without_outliers(gaps_s)
        return Pace(fmean(gaps_s), stdev(gaps_s), fmean(whole_s), len(gaps_s))
    share = max(1, at_a_time)
    return Pace(fmean(whole_s) / share, stdev(whole_s) / share, fmean(whole_s), len(whole_s))


def _without_outliers(seconds: list[float]) -> list[float]:
    most = OUTLIER * max(0.1, median(seconds))
    return [min(most, each) for each in seconds]


def _stepped(seconds: float) -> int:
    """Not finer than it is known, so that what people read does not flicker."""
    step = 5 if seconds < 60 else 15 if seconds < 600 else 60  # noqa: PLR2004
    return round(seconds / step) * step


# The latest photos by their number: those that wait stand at the end, and are passed over.
_ENDED = """
SELECT created_at, started_at, finished_at FROM photo_session_images
WHERE status = 'succeeded' AND attempt = 1
  AND started_at IS NOT NULL AND finished_at > started_at
ORDER BY id DESC LIMIT :most
"""
_AT_A_TIME = """
SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ml_child_task' AND status = 'doing'
"""
_LAST_OF = """
SELECT max(m.id) FROM photo_processing_sessions f
JOIN photo_session_images m ON m.session_id = f.id
WHERE f.status IN ('pending', 'processing') AND m.status IN ('pending', 'processing')
  AND f.uploaded_by_user_id = :user
"""
# Children are queued in the order of their sessions, and counted in that order.
_IN_LINE = """
SELECT count(*) FILTER (WHERE m.id < :first) AS ahead,
       coalesce(sum(1 - m.progress), 0)::float8 AS photos
FROM photo_processing_sessions f
JOIN photo_session_images m ON m.session_id = f.id
WHERE f.status IN ('pending', 'processing') AND m.status IN ('pending', 'processing')
  AND m.id <= :last
"""
