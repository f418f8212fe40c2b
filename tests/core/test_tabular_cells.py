# ruff: noqa: DTZ001, RUF001  times of the site have no offset; digits that look like ours
"""Cells as people write them: what is a whole number, a decimal, a day, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.core.notices import Notice
from demeter.core.tabular.cells import EPOCH, EPOCH_1904, Cell, Unreadable, Value, text
from demeter.core.tabular.dates import date_or_time
from demeter.core.tabular.errors import CellRefused
from demeter.core.tabular.numbers import decimal_number, whole_number

MENDOZA = ZoneInfo("America/Argentina/Mendoza")
MADRID = ZoneInfo("Europe/Madrid")


def cell(value: Value, epoch: date = EPOCH) -> Cell:
    return Cell(value, "count", 7, "plants", "F", epoch)


def refusal(read, value: Value, **options) -> str:
    with pytest.raises(CellRefused) as caught:
        read(cell(value), **options)
    remark = caught.value.remark
    assert (remark.sheet, remark.row, remark.column, remark.letter) == ("count", 7, "plants", "F")
    return remark.notice.code


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (" 12 ", 12), ("\xa012", 12), ("0", 0), ("007", 7), (12, 12), (12.0, 12),
     (1000.0, 1000), ("10000000", 10_000_000), (0.1 + 0.2 + 2.7, 3), (99.99999999999999, 100)],
)  # fmt: skip
def test_a_whole_number_is_read(value: Value, number: int) -> None:
    assert whole_number(cell(value)) == number


@pytest.mark.parametrize(
    "value",
    ["1.000", "1.250", "1,000", "1_000", "-0", "-00", "1e3", "1E3", "true", "10,0", "10.0", "12.",
     "+5", "0x10", "1 000", "1\xa0000", "1'000", "٣", "１２", "²", "−5", "--5", "5-", "½", "doce",
     "12 plants", "=6", "NaN", "inf", True, False, 12.5, -0.0, float("nan"), float("inf"),
     date(2026, 3, 1), datetime(2026, 3, 1), time(3), timedelta(1)],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(value: Value) -> None:
    assert refusal(whole_number, value) == "no_whole_number"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty_cell"),
        ("  ", "empty_cell"),
        ("-5", "out_of_range"),
        ("10000001", "out_of_range"),
        (1e300, "out_of_range"),
        (
            Unreadable(Notice("formula_without_value")),
            "formula_without_value",
        ),
    ],
)
def test_a_whole_number_out_of_bounds_or_missing_is_refused(value: Value, code: str) -> None:
    assert refusal(whole_number, value) == code


def test_a_return_is_a_whole_number_where_it_is_allowed() -> None:
    assert whole_number(cell("-5"), least=-10) == -5


def test_a_refusal_names_the_place_and_what_stands_there() -> None:
    with pytest.raises(CellRefused, match=r"sheet 'count', row 7, column F \(plants\): '1\.000'"):
        whole_number(cell("1.000"))
    assert cell("x" * 200).excerpt == "x" * 59 + "…"


@given(st.integers(-(10**7), 10**7), st.sampled_from(["", " ", "\t", "\xa0"]))
def test_plain_digits_are_read_as_they_are_written(number: int, blank: str) -> None:
    written = cell(f"{blank}{number}{blank}")
    assert whole_number(written, least=-(10**7)) == number
    assert whole_number(cell(float(number)), least=-(10**7)) == number or number == 0


@given(st.text(max_size=12))
def test_a_text_is_a_whole_number_only_if_it_is_its_plain_digits(words: str) -> None:
    try:
        number = whole_number(cell(words), least=-(10**15), most=10**15)
    except CellRefused:
        return
    assert words.strip().lstrip("-").lstrip("0") == str(abs(number)).lstrip("0")
    assert words.strip().isascii()


@given(
    st.integers(1_000, 10**9),
    st.sampled_from([".", ",", " ", "\xa0", "\u202f", "'", "_"]),
)
def test_grouped_thousands_are_never_guessed(number: int, mark: str) -> None:
    grouped = f"{number:,}".replace(",", mark)
    assert refusal(whole_number, grouped) == "no_whole_number"


@pytest.mark.parametrize(
    ("value", "number"),
    [("12.50", "12.50"), ("12,5", "12.5"), ("0.125", "0.125"), ("1234.567", "1234.567"),
     ("-3", "-3"), (12.5, "12.5"), (0.1 + 0.2, "0.3"), (7, "7"), ("0", "0"), (1e15, "1e15")],
)  # fmt: skip
def test_a_decimal_is_exact(value: Value, number: str) -> None:
    assert decimal_number(cell(value)) == Decimal(number)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1.250", "thousands_or_decimals"),
        ("-12,000", "thousands_or_decimals"),
        ("1.250,50", "no_decimal"),
        ("12.5 €", "no_decimal"),
        ("1e2", "no_decimal"),
        ("-0,0", "no_decimal"),
        (".5", "no_decimal"),
        (True, "no_decimal"),
        (float("nan"), "no_decimal"),
        (None, "empty_cell"),
    ],
)
def test_what_is_no_decimal_is_refused(value: Value, code: str) -> None:
    assert refusal(decimal_number, value) == code


@given(st.decimals(-(10**6), 10**6, places=2), st.sampled_from(".,"))
def test_prices_come_back_to_the_digit(price: Decimal, mark: str) -> None:
    if price == 0 and price.is_signed():
        price = Decimal(0)
    assert decimal_number(cell(str(price).replace(".", mark))) == price
    assert decimal_number(cell(float(price))) == price or price == 0


DAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("value", "day"),
    [("2026-11-27", DAY), ("27/11/2026", DAY), ("27-11-2026", DAY), ("20261127", DAY),
     (" 27/11/2026 ", DAY), ("1/2/2026", date(2026, 2, 1)), ("46353", DAY), (46353, DAY),
     (46353.0, DAY), (DAY, DAY), (datetime(2026, 11, 27), DAY)],
)  # fmt: skip
def test_a_day_is_read(value: Value, day: date) -> None:
    read = date_or_time(cell(value), MENDOZA)
    assert (read, type(read)) == (day, date)


@pytest.mark.parametrize(
    "value",
    ["2026-11-27 16:30", "2026-11-27T16:30:00", "27/11/2026 16:30", "27-11-2026  16:30:00",
     "2026-11-27T19:30:00Z", "2026-11-27 20:30:00+0100", "2026-11-27T16:30:00.000-03:00",
     46353.6875, "46353.6875", datetime(2026, 11, 27, 16, 30)],
)  # fmt: skip
def test_a_moment_is_read_at_the_site(value: Value) -> None:
    read = date_or_time(cell(value), MENDOZA)
    assert read == datetime(2026, 11, 27, 19, 30, tzinfo=UTC)


def test_days_of_a_workbook_that_counts_from_1904() -> None:
    assert date_or_time(cell(46353.0 - 1462, EPOCH_1904), MENDOZA) == DAY


@pytest.mark.parametrize(
    "value",
    ["31/31/2026", "11/27/2026", "27/11/26", "27/11-2026", "2026-02-30", "27.11.2026", "today",
     "2026-11-27 24:00", "2026-11-27 16:60", "2026-11-27 4:30 PM", "1999-12-31", "9999-01-01",
     "٢٧/11/2026", "2026-W48-5", "1e5", "12", "999999", 12.0, 1e300, float("nan"), -5.0, True,
     time(3), timedelta(1), date(1900, 2, 28), date(2200, 1, 1)],
)  # fmt: skip
def test_what_is_no_day_is_refused(value: Value) -> None:
    assert refusal(date_or_time, value, zone=MENDOZA) == "no_date"


@pytest.mark.parametrize("value", ["2026-10-25 02:30", "2026-03-29 02:30"])
def test_an_hour_that_is_there_twice_or_never_is_refused(value: str) -> None:
    assert refusal(date_or_time, value, zone=MADRID) == "hour_unclear"
    assert date_or_time(cell(f"{value}+01:00"), MADRID).utcoffset() == timedelta(hours=1)


ZONES = ("America/Argentina/Mendoza", "Europe/Madrid", "Pacific/Kiritimati", "Asia/Kathmandu")


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
    st.sampled_from(ZONES),
    st.sampled_from(["%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y-%m-%dT%H:%M"]),
)
def test_a_moment_comes_back_in_every_zone(moment: datetime, zone: str, pattern: str) -> None:
    try:
        read = date_or_time(cell(moment.strftime(pattern)), ZoneInfo(zone))
    except CellRefused as error:
        assert error.remark.notice.code == "hour_unclear"  # noqa: PT017
        return
    assert read == moment.replace(tzinfo=ZoneInfo(zone))


@given(
    st.dates(date(2000, 1, 1), date(2199, 12, 31)),
    st.integers(0, 86_399),
    st.sampled_from([EPOCH, EPOCH_1904]),
)
def test_a_spreadsheets_number_is_its_day_and_time(day: date, second: int, epoch: date) -> None:
    serial = (day - epoch).days + second / 86_400
    read = date_or_time(cell(serial, epoch), MENDOZA)
    expected = datetime.combine(day, time()) + timedelta(seconds=second)
    shown = datetime.combine(read, time()) if type(read) is date else read.replace(tzinfo=None)
    assert shown == expected


def test_an_offset_of_its_own_stands() -> None:
    read = date_or_time(cell("2026-11-27 16:30-05:30"), MADRID)
    assert read.tzinfo == timezone(-timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, None), ("", None), (" A1 ", "A1"), (12.0, "12"), (12345.0, "12345"), (0.5, "0.5"),
     (True, "TRUE"), (date(2026, 3, 1), "2026-03-01"), (5, "5")],
)  # fmt: skip
def test_a_cell_is_text_as_a_person_would_write_it(value: Value, words: str | None) -> None:
    assert text(cell(value)) == words


@pytest.mark.parametrize("value", ["a\0b", "a\x1bb", "\ud800"])
def test_text_that_cannot_be_kept_is_refused(value: str) -> None:
    assert refusal(text, value) == "control_characters"
    assert refusal(text, "x" * 2001) == "text_too_long"
