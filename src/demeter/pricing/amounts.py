"""Amounts of a price list: what `$950` and `$1.20` are, decided by what multiplies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from demeter.core.tabular.numbers import WrittenAmount

THOUSAND = Decimal(1000)
_FACTORS = (Decimal(1), THOUSAND)


@dataclass(frozen=True, slots=True)
class PricedRow:
    """A row of a price list as it is written: for a unit, units of a box, for the box."""

    unit: WrittenAmount
    units: int
    total: WrittenAmount


@dataclass(frozen=True, slots=True)
class PriceInPesos:
    """The same in one currency unit."""

    unit: Decimal
    total: Decimal


def scale_of_totals(rows: Iterable[PricedRow]) -> Decimal:
    """Whether box totals are written in thousands: 1,000, else 1.

    A unit price without decimals that gives the total only when that is taken in thousands
    tells it of the whole list: `$950` × 45 = `$ 42.75`.
    """
    votes = dict.fromkeys(_FACTORS, 0)
    for row in rows:
        if row.unit.places == 0 and row.total.places > 0:
            for factor in _FACTORS:
                votes[factor] += _multiplies(row, Decimal(1), factor)
    return THOUSAND if votes[THOUSAND] > votes[Decimal(1)] else Decimal(1)


def price_in_pesos(row: PricedRow, scale: Decimal) -> PriceInPesos | None:
    """What a row says, given the scale of its list's totals; ``None`` where nothing multiplies."""
    for factor in _FACTORS:
        if _multiplies(row, factor, scale):
            return PriceInPesos(row.unit.value * factor, row.total.value * scale)
    return None


def _multiplies(row: PricedRow, unit_factor: Decimal, total_factor: Decimal) -> bool:
    """Unit × units is the total, as near as the roundings of both allow."""
    product = row.unit.value * unit_factor * row.units
    allowed = row.unit.rounding * unit_factor * row.units + row.total.rounding * total_factor
    return abs(product - row.total.value * total_factor) <= allowed
