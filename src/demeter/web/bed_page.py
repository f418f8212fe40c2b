"""What the page of one bed shows, read together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.catalog.models import LocationConfig
from demeter.catalog.queries import active_config
from demeter.core.permissions import Permission
from demeter.counts import queries as count_queries
from demeter.counts.bed_history import BedCount, BedFact, BedMonth, bed_months
from demeter.counts.schemas import CountRead
from demeter.locations.models import StorageLocation
from demeter.photos import session_detail
from demeter.photos.bed_sessions import bed_sessions
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import ImageRead, SessionRead
from demeter.stock.bed_lots import LotOfBed, bed_lots
from demeter.stock.on_hand import StockFilter, total_stock
from demeter.stock.own_reports import is_own
from demeter.web.bed_reports import REPORTS, ReportKind
from demeter.web.month_chart import ChartBar, month_bars

MONTHS = 6
MOST_MONTHS = 60


@dataclass(frozen=True, slots=True)
class BedProblem:
    """A session that waits for a person; ``count_id`` where its count can be moved."""

    session: SessionRead
    count_id: int | None
    more: int


@dataclass(frozen=True, slots=True)
class BedView:
    """A bed with its number, its problems, its photo, its lots and its months."""

    bed: StorageLocation
    plants: int | None
    last: BedCount | None
    previous: BedCount | None
    lots: list[LotOfBed]
    months: list[BedMonth]
    bars: list[ChartBar]
    open_month: BedMonth
    problem: BedProblem | None
    waiting_counts: list[CountRead]
    under_way: list[PhotoSession]
    photo: SessionRead | None
    image: ImageRead | None
    config: LocationConfig | None
    reports: list[ReportKind]

    @property
    def change(self) -> int | None:
        """Plants now, less those of the count before the last."""
        if self.plants is None or self.previous is None or self.previous.plants is None:
            return None
        return self.plants - self.previous.plants

    @property
    def unit(self) -> str:
        """What its number counts, as the last count did."""
        return (self.last.unit if self.last else None) or "plants"

    @property
    def interval(self) -> tuple[int, int] | None:
        """Of the last count, while nothing came or went since."""
        is_as_counted = self.last is not None and self.last.plants == self.plants
        return self.last.interval if self.last is not None and is_as_counted else None

    def fact(self, movement_id: UUID | None) -> BedFact | None:
        """What was reported under an id, if it is in these months."""
        entries = (entry for month in self.months for entry in month.entries)
        facts = (entry for entry in entries if isinstance(entry, BedFact))
        return next((fact for fact in facts if fact.movement_id == movement_id), None)

    def may_take_back(self, entry: BedFact | BedCount) -> bool:
        """Whether who asks may undo a report, or void a count, as far as the list can tell."""
        if not identity.has(Permission.REPORT):
            return False
        if isinstance(entry, BedCount):
            is_possible, own_count = entry.voided_at is None, entry.count_id
        else:
            is_possible = not (entry.is_reversal or entry.is_undone or entry.is_closing)
            own_count = None
        is_counted_since = self._is_counted_since(entry.created_at, own_count)
        return is_possible and is_own(
            entry.user_id, entry.created_at, is_counted_since=is_counted_since
        )

    def _is_counted_since(self, moment: datetime, own_count: int | None) -> bool:
        counts = [e for month in self.months for e in month.entries if isinstance(e, BedCount)]
        return any(
            count.posted_at > moment and count.voided_at is None and count.count_id != own_count
            for count in counts
            if count.posted_at is not None
        )


def bed_view(
    session: Session, bed: StorageLocation, *, months: int, month: str, photo: int
) -> BedView:
    """Everything of a bed; ``month`` (2026-11) is the one whose movements are open."""
    history = bed_months(session, bed.location_id, min(max(months, 1), MOST_MONTHS))
    standing = _standing(history)
    if len(standing) < 2:  # noqa: PLR2004  the last two may be older than the months shown
        standing = _standing(bed_months(session, bed.location_id, MOST_MONTHS))
    of_photos = bed_sessions(session, bed)
    shown = session_detail.answer(session, of_photos.shown) if of_photos.shown else None
    stock = total_stock(session, StockFilter(location=bed.code))
    return BedView(
        bed=bed,
        plants=stock.plants,
        last=standing[0] if standing else None,
        previous=standing[1] if len(standing) > 1 else None,
        lots=bed_lots(session, bed.location_id),
        months=history,
        bars=month_bars(history),
        open_month=_open_month(history, month),
        problem=_problem(session, of_photos.waiting),
        waiting_counts=_hand_counts_that_wait(session, bed),
        under_way=of_photos.under_way,
        photo=shown,
        image=_image(shown, photo),
        config=active_config(session, bed.location_id),
        reports=[kind for kind in REPORTS.values() if bed.active and identity.has(kind.asks)],
    )


def _standing(months: Sequence[BedMonth]) -> list[BedCount]:
    entries = [entry for month in reversed(months) for entry in month.entries]
    return [e for e in entries if isinstance(e, BedCount) and e.voided_at is None]


def _open_month(months: Sequence[BedMonth], wanted: str) -> BedMonth:
    """The month that is asked for, else the last in which something happened."""
    by_name = {f"{month.first_day:%Y-%m}": month for month in months}
    happened = [month for month in months if month.entries]
    return by_name.get(wanted) or (happened[-1] if happened else months[-1])


def _problem(session: Session, waiting: Sequence[PhotoSession]) -> BedProblem | None:
    if not waiting:
        return None
    count = count_queries.standing_count(session, waiting[0].id)
    read = session_detail.answer(session, waiting[0])
    return BedProblem(read, count.id if count else None, len(waiting) - 1)


def _hand_counts_that_wait(session: Session, bed: StorageLocation) -> list[CountRead]:
    page = count_queries.counts(session, limit=5, location_code=bed.code, waiting=True)
    return [count for count in page.items if count.session_id is None]


def _image(shown: SessionRead | None, wanted: int) -> ImageRead | None:
    if shown is None or not shown.images:
        return None
    return shown.images[min(max(wanted, 1), len(shown.images)) - 1]
