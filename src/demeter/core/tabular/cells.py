"""One cell: what stands there, where, and as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from demeter.core.notices import Notice
from demeter.core.tabular.errors import CellRefused
from demeter.core.tabular.remarks import Remark

EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet, from March 1900 on
EPOCH_1904 = date(1904, 1, 1)  # of workbooks that say date1904
MOST_TEXT = 2000
MOST_SHOWN = 60
MOST_PLAIN = 1e15  # below it a spreadsheet's number without a fraction is exact


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where a cell has something and no value can be had of it, and why."""

    notice: Notice


Value = str | bool | int | float | date | datetime | time | timedelta | Unreadable | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and its place; ``epoch`` is day 0 of its workbook's dates."""

    value: Value
    sheet: str | None
    row: int
    column: str
    letter: str
    epoch: date = EPOCH

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands there."""
        return is_blank(self.value)

    @property
    def excerpt(self) -> str:
        """What stands there as a person would write it, in one line and shortened."""
        words = " ".join(display_text(self.value).split())
        return words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 1] + "…"

    def remark(self, notice: Notice) -> Remark:
        """A remark at this place."""
        shown = None if self.is_blank else self.excerpt
        return Remark(notice, self.sheet, self.row, self.column, self.letter, shown)

    def refusal(self, notice: Notice) -> CellRefused:
        """The error that this cell is; whoever reads it raises it."""
        return CellRefused(self.remark(notice))

    def require_readable(self) -> None:
        """Refuse what has no value, though something stands there.

        Raises:
            CellRefused: it says why.
        """
        if isinstance(self.value, Unreadable):
            raise self.refusal(self.value.notice)

    def require_filled(self) -> None:
        """Refuse what has no value.

        Raises:
            CellRefused: nothing stands there, or nothing that can be read.
        """
        self.require_readable()
        if self.is_blank:
            raise self.refusal(Notice("empty_cell"))


def is_blank(value: Value) -> bool:
    """Whether a value is nothing, or blanks alone."""
    return value is None or (isinstance(value, str) and not value.strip())


def display_text(value: Value) -> str:
    """A value as a person would write it; nothing for what cannot be read."""
    if value is None or isinstance(value, Unreadable):
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        is_plain = value.is_integer() and abs(value) < MOST_PLAIN
        return str(int(value)) if is_plain else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def text(cell: Cell, most: int = MOST_TEXT) -> str | None:
    """What stands there as text without surrounding blanks; ``None`` where nothing does.

    A number is written as a person would: 12, not 12.0; a date as 2026-03-31.

    Raises:
        CellRefused: it cannot be read, is longer than ``most``, or has control characters.
    """
    cell.require_readable()
    words = display_text(cell.value).strip()
    if len(words) > most:
        raise cell.refusal(Notice("text_too_long", {"most": most}))
    if any(_is_unprintable(character) for character in words):
        raise cell.refusal(Notice("control_characters", {"value": cell.excerpt}))
    return words or None


def _is_unprintable(character: str) -> bool:
    is_control = character < " " and character not in "\t\n\r"
    return is_control or character == "\x7f" or "\ud800" <= character <= "\udfff"
