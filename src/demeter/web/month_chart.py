"""The bars of a bed's months, placed for an SVG: across in percent, down in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demeter.counts.bed_history import BedMonth

TOP_PX, FLOOR_PX = 34, 168
UNKNOWN_PX = 34  # the dashed place of a month without a count
SHARE_OF_SLOT = 0.78


@dataclass(frozen=True, slots=True)
class ChartBar:
    """A month's bar; ``low_px`` and ``high_px`` are the ends of its whisker, if it has one."""

    month: BedMonth
    left: float
    width: float
    middle: float
    whisker_left: float
    whisker_right: float
    top_px: float
    height_px: float
    text_px: float
    low_px: float | None
    high_px: float | None


def month_bars(months: Sequence[BedMonth]) -> list[ChartBar]:
    """One bar a month, as high as the largest number lets it be."""
    highest = max((_highest(month) for month in months), default=0) or 1
    return [_bar(month, at, len(months), highest) for at, month in enumerate(months)]


def _highest(month: BedMonth) -> int:
    count = month.count
    if count is None or count.plants is None:
        return 0
    return max(count.plants, count.interval[1] if count.interval else 0)


def _bar(month: BedMonth, at: int, months: int, highest: int) -> ChartBar:
    slot = 100 / months
    middle = slot * (at + 0.5)
    count = month.count
    plants = count.plants if count else None
    bounds = count.interval if count else None
    top = FLOOR_PX - UNKNOWN_PX if plants is None else _y(plants, highest)
    low, high = (_y(bound, highest) for bound in bounds) if bounds else (None, None)
    return ChartBar(
        month=month,
        left=round(middle - slot * SHARE_OF_SLOT / 2, 2),
        width=round(slot * SHARE_OF_SLOT, 2),
        middle=round(middle, 2),
        whisker_left=round(middle - slot * 0.09, 2),
        whisker_right=round(middle + slot * 0.09, 2),
        top_px=top,
        height_px=round(FLOOR_PX - top, 1),
        text_px=round(min(top, high if high is not None else top) - 9, 1),
        low_px=low,
        high_px=high,
    )


def _y(plants: int, highest: int) -> float:
    return round(FLOOR_PX - (FLOOR_PX - TOP_PX) * plants / highest, 1)
