"""The made-up years: a sound ledger, the same for the same seed, and no place over a real one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.counts import commands as count_commands
from demeter.counts.schemas import HandCountCreate
from demeter.demo import years
from demeter.demo.years import YearsLoaded
from demeter.periods import queries, service
from demeter.stock import batch_history
from support.ledgerapi import assert_ledger_verified, key
from support.ledgersteps import supervisor

END = datetime(2026, 5, 4, tzinfo=UTC)


def contents(session: Session) -> list[tuple]:
    rows = session.execute(
        text("""
        SELECT movement_type, quantity, occurred_at FROM stock_movements
        ORDER BY occurred_at, movement_id LIMIT 500
        """)
    )
    return [tuple(row) for row in rows]


def test_a_made_up_year_is_sound_and_goes_on(fresh_database: str) -> None:
    del fresh_database
    with transaction() as session:
        years.load_years(session, 1, places=6, until=END)
        supervisor(session)
    assert_ledger_verified()
    with transaction() as session:
        codes = session.scalars(text("SELECT code FROM periods ORDER BY boundary_at")).all()
        assert (len(codes), codes[0], codes[-1]) == (12, "2025-05", "2026-04")
        preview = queries.period_preview(session, service.find_period(session, "2026-04"))
        assert len(preview.lines) == 6
        assert (preview.unrecorded_sales, preview.exceptions_left) == (0, 0)
        assert preview.sales > 0
        carried = session.scalar(
            text("""
            SELECT b.batch_code FROM stock_movements m JOIN stock_batches b ON b.id = m.batch_id
            WHERE m.movement_type = 'transplante' AND m.quantity > 0 LIMIT 1
            """)
        )
        assert len(batch_history.lot_history(session, carried).origins) > 1
        bed = preview.lines[0].location_code
        body = HandCountCreate(movement_id=key(), location_code=bed, plants=300, user="julia")
        assert count_commands.count_by_hand(session, body).waits_for is None
    assert_ledger_verified()


def test_the_same_seed_is_the_same_nursery(session: Session) -> None:
    nurseries = []
    for seed in (1, 1, 2):
        nested = session.begin_nested()
        years.load_years(session, 1, places=2, seed=seed, until=END)
        nurseries.append(contents(session))
        nested.rollback()
    assert nurseries[0] == nurseries[1] != nurseries[2]


def test_years_are_not_loaded_over_stock(session: Session) -> None:
    years.load_years(session, 1, places=2, until=END)
    with pytest.raises(YearsLoaded):
        years.load_years(session, 1, places=2, until=END)
