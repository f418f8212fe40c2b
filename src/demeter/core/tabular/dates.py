"""Days and moments in cells: ISO 8601, days first, and a spreadsheet's own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from demeter.core.fields import YEARS
from demeter.core.notices import Notice
from demeter.core.site import is_unclear
from demeter.core.tabular.cells import Cell

_DAY_S = 86_400
_SERIAL = re.compile(r"([0-9]{5,6})(\.[0-9]{1,15})?")
_DAY = (
    r"(?:(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"|(?P<year_8>[0-9]{4})(?P<month_8>[0-9]{2})(?P<day_8>[0-9]{2})"
    r"|(?P<day_first>[0-9]{1,2})(?P<mark>[/-])(?P<month_second>[0-9]{1,2})(?P=mark)"
    r"(?P<year_last>[0-9]{4}))"
)
_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<part>\.[0-9]{1,6})?)?"
    r"(?: ?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2}))?"
)
_MOMENT = re.compile(rf"{_DAY}(?:(?:T| +){_TIME})?")


def date_or_time(cell: Cell, zone: ZoneInfo) -> date | datetime:
    """A day, or a moment with its offset; a time without one is of ``zone``.

    Read are ISO 8601, `dd/mm/yyyy` and `dd-mm-yyyy`, each with a time or without, and dates of
    a spreadsheet, also as the number behind them. A spreadsheet's date at midnight is a day.

    Raises:
        CellRefused: it is none of these, its year is not one of a nursery's, or its time is
            there twice or not at all on that day.
    """
    cell.require_filled()
    value = _spreadsheet_date(cell)
    if value is None and isinstance(cell.value, str):
        value = _parse(cell.value.strip())
    if value is None or value.year not in YEARS:
        raise cell.refusal(Notice("no_date", {"value": cell.excerpt}))
    if not isinstance(value, datetime) or value.tzinfo is not None:
        return value
    if is_unclear(value, zone):
        raise cell.refusal(Notice("hour_unclear", {"value": cell.excerpt}))
    return value.replace(tzinfo=zone)


_MONTHS = {
    "ene": 1, "jan": 1, "feb": 2, "mar": 3, "abr": 4, "apr": 4, "may": 5, "jun": 6, "jul": 7,
    "ago": 8, "aug": 8, "set": 9, "sep": 9, "oct": 10, "nov": 11, "dic": 12, "dec": 12,
}  # fmt: skip
_MONTH_YEAR = re.compile(r"([a-z]{3,10})\.?\s*[^\sa-z0-9]?\s*((?:20)?[0-9]{2})", re.IGNORECASE)


def month_and_year(cell: Cell) -> date:
    """The first day of a month as people write it: `dic'21`, `mar 2022`, or any of its days.

    Raises:
        CellRefused: it is none.
    """
    cell.require_filled()
    value = _spreadsheet_date(cell)
    words = cell.value.strip() if isinstance(cell.value, str) else ""
    match = _MONTH_YEAR.fullmatch(words)
    month = _MONTHS.get(match[1][:3].lower()) if match else None
    if value is None and match and month:
        value = date(2000 + int(match[2][-2:]), month, 1)
    value = value or _parse(words)
    if value is None or value.year not in YEARS:
        raise cell.refusal(Notice("no_month", {"value": cell.excerpt}))
    return date(value.year, value.month, 1)


def _spreadsheet_date(cell: Cell) -> date | datetime | None:
    """A typed date, or the number of days behind one."""
    value = cell.value
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, date):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        value = f"{value:.15g}"
    match = _SERIAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    day = cell.epoch + timedelta(days=int(match[1]))
    seconds = round(float(match[2] or 0) * _DAY_S)
    if not seconds:
        return day
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


def _parse(words: str) -> date | datetime | None:
    match = _MOMENT.fullmatch(words)
    if match is None:
        return None
    parts = match.groupdict()
    year = int(parts["year"] or parts["year_8"] or parts["year_last"])
    month = int(parts["month"] or parts["month_8"] or parts["month_second"])
    day = int(parts["day"] or parts["day_8"] or parts["day_first"])
    try:
        if parts["hour"] is None:
            return date(year, month, day)
        return datetime(
            year,
            month,
            day,
            int(parts["hour"]),
            int(parts["minute"]),
            int(parts["second"] or 0),
            round(float(parts["part"] or 0) * 1_000_000),
            _offset(parts["offset"]),
        )
    except ValueError:
        return None


def _offset(words: str | None) -> timezone | None:
    if words is None:
        return None
    if words == "Z":
        return UTC
    ahead = timedelta(hours=int(words[1:3]), minutes=int(words[-2:]))
    return timezone(-ahead if words[0] == "-" else ahead)
