"""Month's end as arithmetic: pure rules on frozen values, no database (SPEC §5).

`sales = opening + planted + sown + in − dead − out ± corrections − closing`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from demeter.core.notices import Notice


class ExceptionKind(StrEnum):
    """What somebody must explain before a period closes."""

    NEGATIVE_SALES = "negative_sales"
    RECORDED_MORE = "recorded_more_than_sold"
    NO_LATER_COUNT = "no_later_count"
    COUNT_NOT_ACCEPTED = "count_not_accepted"
    NEGATIVE_HISTORY = "negative_history"
    WITHIN_INTERVAL = "within_interval"


TOGETHER = (
    ExceptionKind.WITHIN_INTERVAL,
    ExceptionKind.NEGATIVE_SALES,
    ExceptionKind.RECORDED_MORE,
)


@dataclass(frozen=True, slots=True)
class CountRef:
    """A posted count that opens or closes a period for a location."""

    count_id: int
    captured_at: datetime
    plants: int
    interval_low: int | None
    interval_high: int | None

    @property
    def half_width(self) -> float:
        """Half of its 90 % interval; a count by hand has none and is taken as exact."""
        if self.interval_low is None or self.interval_high is None:
            return 0.0
        return (self.interval_high - self.interval_low) / 2


@dataclass(frozen=True, slots=True)
class Flows:
    """What the ledger recorded between the two counts; every number is of plants."""

    planted: int = 0
    sown: int = 0
    moved_in: int = 0
    moved_out: int = 0
    dead: int = 0
    corrections: int = 0
    recorded_sales: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """One location and product in one period; without a closing count sales are unknown."""

    opening: CountRef
    closing: CountRef | None
    flows: Flows

    @property
    def sales(self) -> int | None:
        """SPEC §5's formula; ``None`` where no later count says what is left."""
        if self.closing is None:
            return None
        f = self.flows
        return (
            self.opening.plants
            + f.planted
            + f.sown
            + f.moved_in
            - f.dead
            - f.moved_out
            + f.corrections
            - self.closing.plants
        )

    @property
    def unrecorded_sales(self) -> int | None:
        """Sales that nobody recorded; negative where more was recorded than was sold."""
        return None if self.sales is None else self.sales - self.flows.recorded_sales

    @property
    def combined_half_width(self) -> float:
        """Half the 90 % interval of the difference of both counts.

        Errors of two counts are independent, so their half widths add in squares.
        """
        if self.closing is None:
            return 0.0
        return (self.opening.half_width**2 + self.closing.half_width**2) ** 0.5


@dataclass(frozen=True, slots=True)
class LineException:
    """One exception: its kind, the figure that shows it, and what to say of it."""

    kind: ExceptionKind
    figure: int | None
    notice: Notice


def line_exceptions(
    figures: Figures, *, lowest: int | None = None, waiting: Sequence[int] = ()
) -> list[LineException]:
    """What somebody must explain.

    ``lowest`` is the least that history shows between the counts; ``waiting`` are ids of
    counts in the period that nobody has accepted.
    """
    exceptions = [
        LineException(
            ExceptionKind.COUNT_NOT_ACCEPTED,
            session_id,
            Notice("session_waiting", {"session_id": session_id}),
        )
        for session_id in waiting
    ]
    sales, unrecorded = figures.sales, figures.unrecorded_sales
    if sales is None or unrecorded is None:
        carried = Notice("no_later_count", {"opened_at": figures.opening.captured_at.isoformat()})
        return [*exceptions, LineException(ExceptionKind.NO_LATER_COUNT, None, carried)]
    if sales < 0:
        exceptions.append(
            LineException(
                ExceptionKind.NEGATIVE_SALES, sales, Notice("sales_negative", {"sales": sales})
            )
        )
    elif unrecorded < 0:
        recorded = figures.flows.recorded_sales
        exceptions.append(
            LineException(
                ExceptionKind.RECORDED_MORE,
                unrecorded,
                Notice("recorded_more", {"recorded": recorded, "sales": sales}),
            )
        )
    if lowest is not None and lowest < 0:
        exceptions.append(
            LineException(
                ExceptionKind.NEGATIVE_HISTORY,
                lowest,
                Notice("history_negative", {"plants": lowest}),
            )
        )
    if 0 < abs(unrecorded) <= figures.combined_half_width:
        exceptions.append(
            LineException(
                ExceptionKind.WITHIN_INTERVAL,
                unrecorded,
                Notice(
                    "within_interval",
                    {
                        "unrecorded": unrecorded,
                        "half_width": round(figures.combined_half_width, 1),
                    },
                ),
            )
        )
    return exceptions


@dataclass(frozen=True, slots=True)
class LotFoto:
    """The net `foto` of a lot over (opening, closing]; oldest lot first by ``age_rank``."""

    batch_id: int
    age_rank: int
    net_foto: int


def unrecorded_sales_by_lot(unrecorded: int, lots: Sequence[LotFoto]) -> list[tuple[int, int]]:
    """(batch, n) for which closing writes `foto` +n and `ventas` −n, oldest lot first.

    Only lots whose net `foto` is negative give; together they give ``unrecorded``, because
    the net `foto` of all lots is −``unrecorded``. Nothing is written where that is not above 0.
    """
    sales = []
    for lot in sorted(lots, key=lambda item: item.age_rank):
        n = min(max(-lot.net_foto, 0), unrecorded)
        if n > 0:
            sales.append((lot.batch_id, n))
            unrecorded -= n
    if unrecorded > 0:
        raise AssertionError(f"{unrecorded} sales have no lot whose counts fell short")
    return sales
