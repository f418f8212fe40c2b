"""When photos were taken, as a person says it."""

from __future__ import annotations

from datetime import datetime

from demeter.core.moments import HappenedInFuture, HourUnclear, NoMoment, moment_of, parse_typed
from demeter.photos.intake import CapturedInFuture


def captured_moment(words: str) -> datetime:
    """A day or a time as typed, in UTC: a day is its end, or now where it is not over.

    Raises:
        NoMoment, HourUnclear: it cannot be read; ``field`` says what was meant to be it.
        CapturedInFuture: it has not come yet.
    """
    try:
        return moment_of(parse_typed(words))
    except HappenedInFuture as error:
        raise CapturedInFuture(error.notice, field="captured_at") from error
    except HourUnclear as error:
        raise HourUnclear(error.notice, **error.context, field="captured_at") from error
    except NoMoment as error:
        raise NoMoment(f"captured_at: {error.message}", field="captured_at") from error
