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
from demeter.stock import movements, reversals, transfers
from demeter.stock.batches import Kind
from demeter.stock.bin_choice import Place
from demeter.stock.changes import Effect
from demeter.stock.ledger import Told
from demeter.stock.movements import Source
from nursery import NOON, location, product

DAY = timedelta(days=1)


def day(number: float) -> datetime:
    """Noon of a day; 0 is the first."""
    return NOON + number * DAY


def told(db: Session, at: Any, reason: str | None = None, key: UUID | None = None) -> Told:
    return Told(key or uuid4(), supervisor(db).id, at, reason)


def supervisor(db: Session) -> User:
    found = db.scalar(select(User).where(User.username == "julia"))
    if found is None:
        found = User(
            username="julia", email="j@example.org", hashed_password="-", role=UserRole.SUPERVISOR
        )
        db.add(found)
        db.flush()
    return found


def at(db: Session, code: str = "A1", **parts: Any) -> Source:
    return Source(location(db, code).location_id, **parts)


def echeveria(db: Session, **parts: Any) -> Kind:
    return Kind(product(db, "ECHEVERIA-01").id, parts.pop("state", 3), **parts)


def count(db: Session, plants: int, when: float, code: str = "A1", **parts: Any) -> Effect:
    said = HandCount(location(db, code).location_id, plants, **parts)
    return service.count_by_hand(db, told(db, day(when)), supervisor(db), said)


def plant(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> Effect:
    place = Place(location(db, code).location_id)
    return movements.plant(db, told(db, _at(when)), place, echeveria(db), quantity, **parts)


def die(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> Effect:
    return movements.die(db, told(db, _at(when)), at(db, code, **parts), quantity)


def sell(db: Session, quantity: int, when: Any, code: str = "A1", **parts: Any) -> Effect:
    return movements.sell(db, told(db, _at(when)), at(db, code, **parts), quantity)


def transplant(
    db: Session, quantity: int, when: Any, code: str = "A1", to: str = "A2", **parts: Any
) -> Effect:
    place = Place(location(db, to).location_id)
    return transfers.transplant(db, told(db, _at(when)), at(db, code), place, quantity, **parts)


def reverse(db: Session, effect: Effect, reason: str = "was wrong") -> Effect:
    assert effect.movement_id is not None
    return reversals.undo(db, told(db, None, reason), effect.movement_id)


def void(db: Session, effect: Effect) -> Effect:
    assert effect.count_id is not None
    return service.void(db, told(db, None, "counted the wrong bed"), effect.count_id)


def correct(db: Session, effect: Effect, plants: int) -> Effect:
    assert effect.count_id is not None
    (row,) = [c for c in db.get_one(Count, effect.count_id).containers if c.seen]
    return service.correct(db, told(db, None, "miscounted"), effect.count_id, {row.id: plants})


def ledger_is_sound(db: Session) -> None:
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


def _at(when: Any) -> Any:
    return day(when) if isinstance(when, int | float) else when
