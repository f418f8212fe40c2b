"""Taking a posted count back: every row of it is reversed, and the next count still stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from demeter.core.notices import Notice
from demeter.counts import ledger_writes, posting
from demeter.counts.errors import CountState
from demeter.counts.models import Count
from demeter.counts.posting import LotTransfer, PlanRow
from demeter.locations.models import StorageLocation
from demeter.stock.ledger import Author, reason_text, write_movement
from demeter.stock.models import MovementType, StockBatch, StockMovement
from demeter.stock.period_lock import require_open


@dataclass(frozen=True, slots=True)
class CountMovement:
    """A movement that belongs to a count and is not undone."""

    id: int
    batch_id: int
    bin_id: int
    movement_type: MovementType
    quantity: int


def void(session: Session, location: StorageLocation, count: Count, author: Author) -> None:
    """Reverse every row that belongs to a count, those of late movements and closings included.

    The reversals are dated at the count; the same rows with their first sign go to the next
    posted count, if there is one. The location is locked.

    Raises:
        CountState: it is not posted, or void already.
        PeriodClosed: it is at or before a closed period's closing count.
        StockWouldBeNegative: less than nothing would stand at the location today.
    """
    if count.posted_at is None or count.voided_at is not None:
        state = "void already" if count.voided_at else "not posted"
        raise CountState(f"count {count.id} is {state}", count_id=count.id)
    require_open(session, location.location_id, count.captured_at)
    rows = standing_movements(session, count)
    later_count = ledger_writes.next_count(session, count)
    transfers = _covering_transfers(session, location, count, rows) if later_count is None else ()
    _write_reversals(session, count, later_count, rows, author, transfers)
    note_void(count, author)
    session.flush()
    session.expire_all()


def note_void(count: Count, author: Author) -> None:
    """A count is void from now on, with who said so and why; it waits for nothing more."""
    count.voided_at = datetime.now(UTC)
    count.voided_by_user_id = author.user_id
    count.void_reason = reason_text(author.reason)
    count.pending_void = None
    count.waits_for = count.wait_message = count.wait_notices = None


def standing_movements(session: Session, count: Count) -> list[CountMovement]:
    """The standing rows of a count: neither reversals nor reversed."""
    reversal = aliased(StockMovement)
    rows = session.execute(
        select(StockMovement, StockBatch.current_storage_bin_id)
        .join(StockBatch, StockBatch.id == StockMovement.batch_id)
        .where(
            StockMovement.count_id == count.id,
            StockMovement.movement_type.in_([MovementType.FOTO, MovementType.MANUAL_INIT]),
            StockMovement.reverses_movement_id.is_(None),
            ~select(reversal.id).where(reversal.reverses_movement_id == StockMovement.id).exists(),
        )
        .order_by(StockMovement.id)
    )
    return [CountMovement(m.id, m.batch_id, b, m.movement_type, m.quantity) for m, b in rows]


def _covering_transfers(
    session: Session, location: StorageLocation, count: Count, rows: Sequence[CountMovement]
) -> Sequence[LotTransfer]:
    """Transfers into lots that would be short today without this count."""
    product = count.product_id or 0
    expected = ledger_writes.ExpectedLot(
        product, count.product_state_id or 0, count.packaging_catalog_id
    )
    lots = ledger_writes.lots_as_of(session, location.location_id, count.captured_at, expected)
    return posting.cover_shortages(lots, [PlanRow(r.bin_id, r.batch_id, -r.quantity) for r in rows])


def _write_reversals(
    session: Session,
    count: Count,
    later_count: Count | None,
    rows: Sequence[CountMovement],
    author: Author,
    transfers: Sequence[LotTransfer],
) -> None:
    """Rows that bring plants, then transfers, then the others: no lot is negative on the way."""
    reversals = [(row, count, -row.quantity) for row in rows]
    repeats = [(row, later_count, row.quantity) for row in rows if later_count is not None]
    ordered = sorted([*reversals, *repeats], key=lambda item: item[2] < 0)
    increases = sum(quantity > 0 for _, _, quantity in ordered)
    for row, at, quantity in ordered[:increases]:
        _write_row(session, count, row, at, quantity, author)
    for transfer in transfers:
        ledger_writes.write_lot_transfer(
            session, transfer, lambda _, batch_id: batch_id, author, count
        )
    for row, at, quantity in ordered[increases:]:
        _write_row(session, count, row, at, quantity, author)


def _write_row(
    session: Session, count: Count, row: CountMovement, at: Count, quantity: int, author: Author
) -> None:
    """Of a count that is taken back: its reversal, or the same row at the count that stands."""
    undoes = at is count
    write_movement(
        session,
        batch_id=row.batch_id,
        movement_type=row.movement_type if undoes else MovementType.FOTO,
        quantity=quantity,
        user_id=author.user_id,
        source_type=author.source,
        reason=Notice("count_void", {"count_id": count.id, "reason": author.reason}),
        processing_session_id=count.processing_session_id,
        count_id=at.id,
        reverses_movement_id=row.id if undoes else None,
        fact_id=author.fact_id,
        occurred_at=at.captured_at,
    )
