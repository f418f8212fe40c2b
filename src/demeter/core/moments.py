"""When something happened, as people say it: the one place that reads their days and times.

`core.formats` is the one that writes them again.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from demeter.core.errors import InvalidInput
from demeter.core.fields import parse_when
from demeter.core.notices import Notice
from demeter.core.site import day_at_site, end_of_day, is_unclear, site_zone, start_of_day

PATIENCE = timedelta(minutes=5)  # clocks of phones run ahead a little


class HappenedInFuture(InvalidInput):
    """The moment is yet to come."""

    code = "happened_in_future"
    title = "This moment is in the future"
    next_action = "Say when it happened, or leave the time out: then it is now."


class HourUnclear(InvalidInput):
    """The time is there twice on that day, or not at all: clocks change."""

    code = "hour_unclear"
    title = "Clocks change at that hour"
    next_action = "Add the offset, as in 2026-03-29T02:30+01:00."


class NoMoment(InvalidInput):
    """It cannot be read as a day or a time."""

    code = "invalid_input"
    next_action = "Write a day as 2026-03-01, or a time as 2026-03-01T10:30."


def moment_of(when: datetime | date | None, now: datetime | None = None) -> datetime:
    """When it happened, in UTC; none is now. It is never in the future.

    A date alone is the end of that day at the site, or now where that day is not over: what is
    reported after it on the same day is later.

    Raises:
        HappenedInFuture: it is yet to come; today without a time is not.
        HourUnclear: its time is without an offset, and clocks change then.
    """
    now = now or datetime.now(UTC)
    if when is None:
        return now
    if not isinstance(when, datetime):
        if when > day_at_site(now):
            raise HappenedInFuture(Notice("in_future", {"value": str(when)}), given=str(when))
        return min(end_of_day(when), now)
    moment = at_site(when)
    if moment > now + PATIENCE:
        notice = Notice("in_future", {"value": when.isoformat(" ", "minutes")})
        raise HappenedInFuture(notice, given=when.isoformat())
    return min(moment, now)


def at_site(moment: datetime) -> datetime:
    """A moment in UTC; one without an offset is in the site's time.

    Raises:
        HourUnclear: its time is without an offset, and clocks change then.
    """
    if moment.tzinfo is None:
        zone = site_zone()
        if is_unclear(moment, zone):
            value = moment.isoformat(" ", "minutes")
            raise HourUnclear(Notice("hour_unclear", {"value": value}), given=moment.isoformat())
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def boundary_of(when: datetime | date) -> datetime:
    """The moment at which a stretch of time ends, in UTC: of a day alone, as that day is over.

    Raises:
        HourUnclear: its time is without an offset, and clocks change then.
    """
    if isinstance(when, datetime):
        return at_site(when)
    return start_of_day(when + timedelta(days=1))


def beginning_of(when: datetime | date) -> datetime:
    """The moment from which on something holds, in UTC: of a day alone, its first.

    Raises:
        HourUnclear: its time is without an offset, and clocks change then.
    """
    return at_site(when) if isinstance(when, datetime) else start_of_day(when)


def _extended(words: str) -> str:
    """A day as the API writes it, where a person wrote it in another way of ISO 8601."""
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError:
        return words


def parse_typed(words: str) -> datetime | date:
    """A day, or a time, as a person typed it.

    Raises:
        NoMoment: it is neither.
    """
    try:
        when = parse_when(_extended(words.strip()))
    except ValueError as error:
        raise NoMoment(
            f"{words!r} is no day such as 2026-03-01 and no time such as 2026-03-01T10:30",
            given=words,
        ) from error
    assert when is not None
    return when
