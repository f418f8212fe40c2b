"""When something happened: days are the site's, wherever it is and whenever its clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from demeter.core.formats import site_text
from demeter.core.moments import (
    HappenedInFuture,
    HourUnclear,
    NoMoment,
    beginning_of,
    boundary_of,
    moment_of,
    parse_typed,
)
from demeter.core.settings import settings
from demeter.core.site import day_at_site, end_of_day, start_of_day

ZONES = st.sampled_from(
    [  # ends of the world, odd hours, and clocks that change at midnight
        "America/Argentina/Mendoza",
        "America/Havana",
        "America/Sao_Paulo",
        "America/Santiago",
        "America/St_Johns",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Etc/GMT+12",
        "Europe/Madrid",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ]
) | st.sampled_from(sorted(available_timezones() - {"localtime"}))
DAYS = st.dates(date(2000, 1, 2), date(2199, 12, 30)) | st.dates(date(2005, 1, 1), date(2027, 1, 1))
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2198, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@contextmanager
def site_in(zone: str) -> Iterator[ZoneInfo]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMETER_TIME_ZONE", zone)
        settings.cache_clear()
        yield ZoneInfo(zone)
    settings.cache_clear()


@given(ZONES, DAYS)
def test_a_day_ends_in_itself_and_the_next_one_begins(zone: str, day: date) -> None:
    with site_in(zone):
        end = end_of_day(day)
        assert start_of_day(day) <= end < end_of_day(day + timedelta(days=2))
        assume(day_at_site(start_of_day(day)) == day)  # Apia had no 30 December 2011
        assert day_at_site(end) == day
        assert boundary_of(day) - end == timedelta(microseconds=1)
        assert beginning_of(day) == start_of_day(day)


@given(ZONES, MOMENTS)
def test_a_moment_lies_between_the_ends_of_its_day(zone: str, moment: datetime) -> None:
    with site_in(zone):
        day = day_at_site(moment)
        assert moment <= end_of_day(day)
        assert end_of_day(day) - moment < timedelta(hours=26)


@given(ZONES, MOMENTS, st.integers(-3, 400))
def test_a_date_alone_is_its_day_and_never_to_come(zone: str, now: datetime, ago: int) -> None:
    with site_in(zone):
        today = day_at_site(now)
        day = today - timedelta(days=ago)
        if ago < 0:
            with pytest.raises(HappenedInFuture):
                moment_of(day, now)
            return
        moment = moment_of(day, now)
        assert moment <= now
        assert moment == (min(end_of_day(day), now) if ago == 0 else end_of_day(day))
        if ago:
            assert moment < moment_of(today, now)


@given(ZONES, st.lists(DAYS, min_size=2, max_size=5))
def test_days_keep_their_order(zone: str, days: list[date]) -> None:
    with site_in(zone):
        now = datetime(2200, 6, 1, tzinfo=UTC)
        moments = [moment_of(day, now) for day in sorted(days)]
        assert moments == sorted(moments)


@given(ZONES, MOMENTS)
def test_what_is_printed_is_read_again(zone: str, moment: datetime) -> None:
    with site_in(zone) as site:
        try:
            again = moment_of(parse_typed(site_text(moment)), moment)
        except HourUnclear:
            other = moment.astimezone(site).replace(fold=1 - moment.astimezone(site).fold)
            assert other.utcoffset() != moment.astimezone(site).utcoffset()
            return
        assert again <= moment
        assert moment - again < timedelta(minutes=1)


@given(st.integers(0, 300))
def test_a_clock_that_runs_ahead_says_now(seconds: int) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert moment_of(now + timedelta(seconds=seconds), now) == now
    with pytest.raises(HappenedInFuture):
        moment_of(now + timedelta(seconds=301 + seconds), now)


def test_just_after_midnight_in_kiritimati() -> None:
    """There it is the first of November at 00:21, and in UTC the last day of October."""
    with site_in("Pacific/Kiritimati"):
        now = datetime(2026, 10, 31, 10, 21, tzinfo=UTC)
        assert moment_of(date(2026, 11, 1), now) == now
        assert moment_of(datetime(2026, 11, 1, 0, 20), now) == now - timedelta(minutes=1)  # noqa: DTZ001
        assert site_text(now) == "2026-11-01 00:21"
        with pytest.raises(HappenedInFuture):
            moment_of(date(2026, 11, 2), now)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", date(2026, 3, 29), 23),
        ("Europe/Madrid", date(2026, 10, 25), 25),
        ("America/Santiago", date(2026, 9, 6), 23),  # midnight itself is skipped
        ("America/Santiago", date(2026, 4, 4), 25),  # the hour before midnight is there twice
        ("America/Havana", date(2025, 11, 2), 25),  # midnight is there twice
        ("America/Argentina/Mendoza", date(2026, 3, 29), 24),
    ],
)
def test_days_of_23_and_25_hours(zone: str, day: date, hours: int) -> None:
    with site_in(zone):
        assert boundary_of(day) - beginning_of(day) == timedelta(hours=hours)


def test_an_hour_that_is_there_twice_or_never_is_refused_by_name() -> None:
    with site_in("Europe/Madrid"):
        for words in ("2026-03-29T02:30", "2026-10-25 02:30"):
            with pytest.raises(HourUnclear, match="02:30"):
                moment_of(parse_typed(words))
        assert moment_of(parse_typed("2026-03-29T02:30+01:00")) == datetime(
            2026, 3, 29, 1, 30, tzinfo=UTC
        )


@pytest.mark.parametrize("words", ["20260301", "2026-03-01", "2026-W09-7", " 2026-03-01 "])
def test_a_day_is_a_day_however_iso_8601_writes_it(words: str) -> None:
    assert parse_typed(words) == date(2026, 3, 1)


@pytest.mark.parametrize("words", ["yesterday", "", "1", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_what_is_no_moment_is_refused_by_name(words: str) -> None:
    with pytest.raises(NoMoment):
        parse_typed(words)
