"""What people report and count, in short words, for tests of the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.accounts.models import User, UserRole
from demeter.counts import service
from demeter.counts.hand_counts import HandCount
from demeter.counts.models import Count
from demeter.review import corrections
from demeter.stock import movements, reversals, transfers
from demeter.stock.batches import LotKind
from demeter.stock.bin_choice import Destination
from demeter.stock.changes import LedgerChange
from demeter.stock.ledger import LedgerCommand
from demeter.stock.movements import WithdrawalSource
from support.nursery import NOON, location, product

DAY = timedelta(days=1)


def day(number: float) -> datetime:
    """Noon of a day; 0 is the first."""
    return NOON + number * DAY


def command(
    db: Session, at: Any, reason: str | None = None, key: UUID | None = None
) -> LedgerCommand:
    return LedgerCommand(key or uuid4(), supervisor(db).id, at, reason)


def supervisor(db: Session) -> User:
    user = db.scalar(select(User).where(User.username == "julia"))
    if user is None:
        user = User(
            username="julia", email="j@example.org", hashed_password="-", role=UserRole.SUPERVISOR
        )
        db.add(user)
        db.flush()
    return user


def source(db: Session, code: str = "A1", **parts: Any) -> WithdrawalSource:
    return WithdrawalSource(location(db, code).location_id, **parts)


def echeveria(db: Session, **parts: Any) -> LotKind:
    return LotKind(product(db, "ECHEVERIA-01").id, parts.pop("state", 3), **parts)


def count(db: Session, plants: int, when: float, code: str = "A1", **parts: Any) -> LedgerChange:
    hand_count = HandCount(location(db, code).location_id, plants, **parts)
    return service.count_by_hand(db, command(db, day(when)), supervisor(db), hand_count)


def plant(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> LedgerChange:
    place = Destination(location(db, code).location_id)
    return movements.plant(db, command(db, _moment(when)), place, echeveria(db), quantity, **parts)


def die(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> LedgerChange:
    return movements.die(db, command(db, _moment(when)), source(db, code, **parts), quantity)


def sell(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> LedgerChange:
    return movements.sell(db, command(db, _moment(when)), source(db, code, **parts), quantity)


def transplant(
    db: Session, quantity: int, when: Any, code: str = "A1", to: str = "A2", **parts: Any
) -> LedgerChange:
    place = Destination(location(db, to).location_id)
    return transfers.transplant(
        db, command(db, _moment(when)), source(db, code), place, quantity, **parts
    )


def reverse(db: Session, change: LedgerChange, reason: str = "was wrong") -> LedgerChange:
    assert change.movement_id is not None
    return reversals.undo(db, command(db, None, reason), change.movement_id)


def void(db: Session, change: LedgerChange) -> LedgerChange:
    assert change.count_id is not None
    return service.void(db, command(db, None, "counted the wrong bed"), change.count_id)


def correct(db: Session, change: LedgerChange, plants: int) -> LedgerChange:
    assert change.count_id is not None
    (row,) = [c for c in db.get_one(Count, change.count_id).containers if c.seen]
    edits = corrections.Edits({row.id: plants})
    return corrections.correct_count(db, command(db, None, "miscounted"), change.count_id, edits)


def assert_ledger_sound(db: Session) -> None:
    """Every lot is the sum of its movements, none is negative, transfers balance."""
    wrong = db.execute(
        text("""
        SELECT b.batch_code, b.quantity_current, coalesce(sum(m.quantity), 0)
        FROM stock_batches b LEFT JOIN stock_movements m ON m.batch_id = b.id
        GROUP BY b.id HAVING b.quantity_current <> coalesce(sum(m.quantity), 0)
            OR b.quantity_current < 0
        """)
    ).all()
    assert not wrong
    db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    db.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def _moment(when: Any) -> Any:
    return day(when) if isinstance(when, int | float) else when
