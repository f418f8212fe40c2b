"""What is wrong or odd in a table, each with its place: faults refuse it, warnings do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from demeter.core.notices import Notice
from demeter.core.schemas import Output
from demeter.core.wording import english

MOST_KEPT = 200  # of faults, and of warnings, of one file
MOST_NAMED = 20  # faults in an error's sentence
MOST_SENTENCE = 2000  # characters


@dataclass(frozen=True, slots=True)
class Remark:
    """A fault or a warning with its place; what is not of one place leaves it open.

    ``row`` as the spreadsheet numbers it, ``column`` by its heading and its letter; ``value``
    is what stands in the cell, shortened.
    """

    notice: Notice
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    letter: str | None = None
    value: str | None = None


class RemarkRead(Output):
    """A fault or a warning with its place, as far as it has one."""

    sheet: str | None
    row: int | None = Field(description="as the spreadsheet numbers it")
    column: str | None = Field(description="its heading")
    letter: str | None
    value: str | None = Field(description="what stands there, shortened")
    message: str = Field(description="English; `notice` says the same")
    notice: Notice


def placed_sentence(remark: Remark | RemarkRead) -> str:
    """A remark in English, its place before it."""
    place = [f"sheet {remark.sheet!r}"] if remark.sheet is not None else []
    place += [f"row {remark.row}"] if remark.row is not None else []
    if remark.letter is not None:
        heading = f" ({remark.column})" if remark.column else ""
        place.append(f"column {remark.letter}{heading}")
    sentence = english(remark.notice)
    return f"{', '.join(place)}: {sentence}" if place else sentence


def remark_read(remark: Remark) -> RemarkRead:
    """A remark as it is answered."""
    return RemarkRead(
        sheet=remark.sheet,
        row=remark.row,
        column=remark.column,
        letter=remark.letter,
        value=remark.value,
        message=english(remark.notice),
        notice=remark.notice,
    )


class Remarks:
    """The faults and warnings of one file, bounded; beyond that they are counted."""

    def __init__(self) -> None:
        self._faults: set[Remark] = set()
        self._warnings: set[Remark] = set()
        self.fault_count = 0
        self.warning_count = 0

    def add_fault(self, remark: Remark) -> None:
        """Note what refuses the file; a cell that is read twice is one fault."""
        self.fault_count += remark not in self._faults
        if len(self._faults) < MOST_KEPT:
            self._faults.add(remark)

    def add_warning(self, remark: Remark) -> None:
        """Note what is odd and refuses nothing."""
        self.warning_count += remark not in self._warnings
        if len(self._warnings) < MOST_KEPT:
            self._warnings.add(remark)

    @property
    def faults(self) -> list[Remark]:
        """By sheet, row and column."""
        return sorted(self._faults, key=_place)

    @property
    def warnings(self) -> list[Remark]:
        """By sheet, row and column; the last says how many more there are."""
        more = self.warning_count - len(self._warnings)
        last = [Remark(Notice("more_warnings", {"warnings": more}))] if more else []
        return sorted(self._warnings, key=_place) + last

    def sentence(self) -> str:
        """The faults in words, the first of them one by one."""
        faults = self.faults
        if self.fault_count == 1:
            return placed_sentence(faults[0])[:MOST_SENTENCE]
        named = " ".join(placed_sentence(fault) for fault in faults[:MOST_NAMED])
        return f"{self.fault_count} things are wrong. {named}"[:MOST_SENTENCE]

    def as_json(self) -> dict[str, Any]:
        """What an error says of them beside its sentence."""
        return {
            "faults": [remark_read(fault).model_dump(mode="json") for fault in self.faults],
            "fault_count": self.fault_count,
            "warnings": [remark_read(w).model_dump(mode="json") for w in self.warnings],
        }


def _place(remark: Remark) -> tuple[str, int, int, str, str]:
    letter = remark.letter or ""
    return (remark.sheet or "", remark.row or 0, len(letter), letter, english(remark.notice))
