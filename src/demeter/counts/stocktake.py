"""A count becomes stock: what photos and people's own counts share (SPEC §3.5 step 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.counts import ledger_writes, posting
from demeter.counts.ledger_writes import expected_of
from demeter.counts.models import ContainerCount, Count
from demeter.locations.bins import photo_bins
from demeter.locations.models import StorageBin, StorageLocation
from demeter.stock.ledger import Author
from demeter.stock.models import MovementType


@dataclass(frozen=True, slots=True)
class Posted:
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
) -> Posted:
    """Write what makes the location's stock at the count's moment equal the count.

    Posting again writes only the net difference of each lot. The location is locked and the
    count's containers have their bins.

    Raises:
        StockWouldBeNegative: less than nothing would stand at the location today.
    """
    rows = counted_rows(count)
    counted = {row.bin_id: row.answer or 0 for row in rows if row.bin_id is not None}
    lots = ledger_writes.lots_as_of(
        session, location.location_id, count.captured_at, expected_of(config)
    )
    later = ledger_writes.next_count(session, count)
    plan = posting.plan(lots, counted, is_latest=later is None)
    expected = expected_of(config)
    written = ledger_writes.write_plan(
        session,
        plan,
        count=count,
        later=later,
        expected=expected,
        author=author,
        movement_type=movement_type,
    )
    unseen = _note_unseen(session, location, count, set(counted), ledger_writes.bins_holding(lots))
    for row in [*rows, *unseen]:
        _note_change(row, plan, written)
    _note_posted(count, expected, author, sum(counted.values()))
    session.flush()
    return Posted(tuple(unseen), is_latest=later is None)


def counted_rows(count: Count) -> list[ContainerCount]:
    """The containers that say a number: seen, or corrected by a person."""
    return [c for c in count.containers if c.seen or c.human_corrected is not None]


def _note_change(row: ContainerCount, plan: posting.Plan, written: dict[int, int]) -> None:
    """What the ledger held before the count, and what the count changed in all."""
    assert row.bin_id is not None
    changed = plan.difference(row.bin_id)
    in_all = (row.difference or 0) + changed
    row.difference = in_all
    row.ledger_before = plan.before.get(row.bin_id, 0) + changed - in_all
    if row.stock_movement_id is None:
        row.stock_movement_id = written.get(row.bin_id)


def _note_posted(
    count: Count, expected: ledger_writes.Expected, author: Author, plants: int
) -> None:
    count.product_id = expected.product_id
    count.product_state_id = expected.product_state_id
    count.packaging_catalog_id = expected.packaging_catalog_id
    count.plants = plants
    count.posted_attempt = count.attempt
    count.waits_for = count.wait_message = None
    if count.posted_at is None:
        count.posted_at, count.posted_by_user_id = datetime.now(UTC), author.user_id


def _note_unseen(
    session: Session,
    location: StorageLocation,
    count: Count,
    counted: set[int],
    holding: set[int],
) -> list[ContainerCount]:
    """A row for each bin that was expected and not seen; the stocktake says it is empty."""
    expected = {b.bin_id for b in photo_bins(session, location) if _existed(session, b, count)}
    known = {c.bin_id: c for c in count.containers if not c.seen and c.human_corrected is None}
    rows = [
        ContainerCount(
            count_id=count.id,
            processing_session_id=count.processing_session_id,
            attempt=count.attempt,
            bin_id=bin_id,
            seen=False,
        )
        for bin_id in sorted((expected | holding) - counted - set(known))
    ]
    session.add_all(rows)
    session.flush()
    return [*(row for row in known.values() if row.bin_id not in counted), *rows]


def _existed(session: Session, found: StorageBin, count: Count) -> bool:
    """Whether a count had seen this bin at or before this count's moment."""
    first = session.scalar(
        select(Count.captured_at)
        .join(ContainerCount, ContainerCount.count_id == Count.id)
        .where(ContainerCount.bin_id == found.bin_id, ContainerCount.seen)
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


def plants_of(rows: Sequence[ContainerCount]) -> int:
    """The answers of containers together."""
    return sum(row.answer or 0 for row in rows)
