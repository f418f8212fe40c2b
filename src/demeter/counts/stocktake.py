"""A count becomes stock: what photos and people's own counts share (SPEC §3.5 step 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.counts import ledger_writes, posting
from demeter.counts.ledger_writes import expected_lot
from demeter.counts.models import ContainerCount, Count
from demeter.locations.bins import photo_bins
from demeter.locations.models import StorageBin, StorageLocation
from demeter.stock.ledger import Author
from demeter.stock.models import MovementType


@dataclass(frozen=True, slots=True)
class PostingResult:
    """What posting did: the rows of bins that were not seen, and whether a later count stands."""

    unseen: tuple[ContainerCount, ...]
    is_latest: bool


def post(
    session: Session,
    location: StorageLocation,
    count: Count,
    config: LocationConfig,
    author: Author,
    movement_type: MovementType = MovementType.FOTO,
) -> PostingResult:
    """Write what makes the location's stock at the count's moment equal the count.

    Posting again writes only the net difference of each lot. The location is locked and the
    count's containers have their bins.

    Raises:
        StockWouldBeNegative: less than nothing would stand at the location today.
    """
    rows = counted_rows(count)
    counted = {row.bin_id: row.answer or 0 for row in rows if row.bin_id is not None}
    lots = ledger_writes.lots_as_of(
        session, location.location_id, count.captured_at, expected_lot(config)
    )
    later_count = ledger_writes.next_count(session, count)
    plan = posting.plan_posting(lots, counted, is_latest=later_count is None)
    expected = expected_lot(config)
    first_movements = ledger_writes.write_plan(
        session,
        plan,
        count=count,
        later_count=later_count,
        expected=expected,
        author=author,
        movement_type=movement_type,
    )
    unseen = _note_unseen(session, location, count, set(counted), ledger_writes.bins_holding(lots))
    for row in [*rows, *unseen]:
        _note_change(row, plan, first_movements)
    _note_posted(count, expected, author, sum(counted.values()))
    session.flush()
    return PostingResult(tuple(unseen), is_latest=later_count is None)


def counted_rows(count: Count) -> list[ContainerCount]:
    """The containers that say a number: seen, or corrected by a person."""
    return [c for c in count.containers if c.seen or c.human_corrected is not None]


def _note_change(
    row: ContainerCount, plan: posting.PostingPlan, first_movements: dict[int, int]
) -> None:
    """What the ledger held before the count, and what the count changed in all."""
    assert row.bin_id is not None
    change = plan.difference(row.bin_id)
    total_change = (row.difference or 0) + change
    row.difference = total_change
    row.ledger_before = plan.before.get(row.bin_id, 0) + change - total_change
    if row.stock_movement_id is None:
        row.stock_movement_id = first_movements.get(row.bin_id)


def _note_posted(
    count: Count, expected: ledger_writes.ExpectedLot, author: Author, plants: int
) -> None:
    count.product_id = expected.product_id
    count.product_state_id = expected.product_state_id
    count.packaging_catalog_id = expected.packaging_catalog_id
    count.plants = plants
    count.posted_attempt = count.attempt
    count.waits_for = count.wait_message = count.wait_notices = None
    if count.posted_at is None:
        count.posted_at, count.posted_by_user_id = datetime.now(UTC), author.user_id


def _note_unseen(
    session: Session,
    location: StorageLocation,
    count: Count,
    counted_bins: set[int],
    bins_holding: set[int],
) -> list[ContainerCount]:
    """A row for each bin that was expected and not seen; the stocktake says it is empty."""
    expected_bins = {
        b.bin_id for b in photo_bins(session, location) if _is_known_at(session, b, count)
    }
    unseen_rows = {
        c.bin_id: c for c in count.containers if not c.seen and c.human_corrected is None
    }
    rows = [
        ContainerCount(
            count_id=count.id,
            processing_session_id=count.processing_session_id,
            attempt=count.attempt,
            bin_id=bin_id,
            seen=False,
        )
        for bin_id in sorted((expected_bins | bins_holding) - counted_bins - set(unseen_rows))
    ]
    session.add_all(rows)
    session.flush()
    return [*(row for row in unseen_rows.values() if row.bin_id not in counted_bins), *rows]


def _is_known_at(session: Session, storage_bin: StorageBin, count: Count) -> bool:
    """Whether a count had seen this bin at or before this count's moment."""
    first = session.scalar(
        select(Count.captured_at)
        .join(ContainerCount, ContainerCount.count_id == Count.id)
        .where(ContainerCount.bin_id == storage_bin.bin_id, ContainerCount.seen)
        .order_by(Count.captured_at)
        .limit(1)
    )
    return first is not None and first <= count.captured_at


def has_movements(session: Session, location_id: int) -> bool:
    """Whether anything has ever been booked at a location."""
    return bool(
        session.execute(
            text("""
            SELECT EXISTS (SELECT FROM stock_movements m
                JOIN stock_batches b ON b.id = m.batch_id
                JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
                WHERE s.storage_location_id = :location)
            """),
            {"location": location_id},
        ).scalar()
    )
