"""Numbers in cells: what is not plainly one number is refused, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from demeter.core.fields import MOST
from demeter.core.notices import Notice
from demeter.core.tabular.cells import Cell, Value

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]{1,15})?")
_MONEY = re.compile(r"(?:[$€]|[A-Z]{3})?\s*([0-9]{1,12})(?:[.,]([0-9]{1,4}))?")
_MAY_BE_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")


def whole_number(cell: Cell, *, least: int = 0, most: int = MOST) -> int:
    """A whole number: plain digits, or a spreadsheet's number without a fraction.

    A spreadsheet's number is taken to the 15 digits that it shows.

    Raises:
        CellRefused: it is none (`1.000`, `1_000`, `-0`, `1e3` and `true` are none), or is not
            from ``least`` to ``most``.
    """
    cell.require_filled()
    number = _whole(cell.value)
    if number is None:
        raise cell.refusal(Notice("no_whole_number", {"value": cell.excerpt}))
    if not least <= number <= most:
        notice = Notice("out_of_range", {"value": cell.excerpt, "least": least, "most": most})
        raise cell.refusal(notice)
    return number


def decimal_number(cell: Cell) -> Decimal:
    """An exact decimal such as a price, with a point or a comma: `12.50`, `12,5`.

    A spreadsheet's number is taken to the 15 digits that it shows.

    Raises:
        CellRefused: it is none, or could be a thousand as well (`1.250`).
    """
    cell.require_filled()
    value = cell.value
    words = value.strip() if isinstance(value, str) else ""
    if _MAY_BE_THOUSANDS.fullmatch(words):
        raise cell.refusal(Notice("thousands_or_decimals", {"value": cell.excerpt}))
    number = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(f"{value:.15g}")
    elif _DECIMAL.fullmatch(words):
        number = Decimal(words.replace(",", "."))
    if number is None or not number.is_finite() or (number == 0 and number.is_signed()):
        raise cell.refusal(Notice("no_decimal", {"value": cell.excerpt}))
    return number


@dataclass(frozen=True, slots=True)
class WrittenAmount:
    """An amount as it is written; ``places`` are the digits behind its mark.

    Whether `1.200` are thousands cannot be seen in the cell: who reads it decides by the row.
    """

    value: Decimal
    places: int

    @property
    def rounding(self) -> Decimal:
        """Half of its last digit: by so much it may differ from what was meant."""
        return Decimal(5) / Decimal(10) ** (self.places + 1)


def written_amount(cell: Cell) -> WrittenAmount:
    """An amount of money as it is written, with or without its sign: `$950`, `$ 42.75`.

    Raises:
        CellRefused: it is none.
    """
    cell.require_filled()
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(f"{value:.15g}")
        exponent = number.normalize().as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
        if number.is_finite() and number >= 0:
            return WrittenAmount(number, places)
    match = _MONEY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise cell.refusal(Notice("no_amount", {"value": cell.excerpt}))
    whole, behind = match[1], match[2] or ""
    return WrittenAmount(Decimal(f"{whole}.{behind}" if behind else whole), len(behind))


def _whole(value: Value) -> int | None:
    if isinstance(value, str):
        words = value.strip()
        is_plain = _WHOLE.fullmatch(words) is not None
        return None if not is_plain or re.fullmatch("-0+", words) else int(words)
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        shown = float(f"{value:.15g}")  # a sum of halves and tenths may be off by less than that
        is_plain = shown.is_integer() and not (shown == 0 and str(shown).startswith("-"))
        return int(shown) if is_plain else None
    return value if isinstance(value, int) else None
