"""The demonstration's story: sound books on any day of a month, and one thing of each kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.demo import load, story
from demeter.periods import service
from demeter.periods.figures import period_lines
from support.ledgerapi import assert_ledger_verified

NOW = datetime.now(UTC)


def rows(session: Session, sql: str) -> list[tuple]:
    return [tuple(row) for row in session.execute(text(sql))]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(NOW, id="today"),
        pytest.param(datetime(2026, 1, 1, 3, 0, 1, tzinfo=UTC), id="first second of a year"),
        pytest.param(datetime(2026, 3, 1, 3, 4, tzinfo=UTC), id="after a short month"),
        pytest.param(datetime(2026, 8, 31, 23, 59, tzinfo=UTC), id="last day of a month"),
    ],
)
def test_three_months_are_sound_and_have_one_thing_of_each_kind(fresh_database: str, now) -> None:
    del fresh_database
    with transaction() as session:
        load.load_nursery(session)
        assert not story.is_told(session)
        story.tell(session, story.months_until(now))
        assert story.is_told(session)
    assert_ledger_verified()
    with transaction() as session:
        kinds = {
            row[0] for row in rows(session, "SELECT DISTINCT movement_type FROM stock_movements")
        }
        assert kinds >= {
            "manual_init",
            "foto",
            "plantar",
            "sembrar",
            "muerte",
            "ventas",
            "transplante",
        }
        assert rows(session, "SELECT count(*) FROM counts WHERE posted_at IS NULL") == [(0,)]
        later = text("SELECT count(*) FROM stock_movements WHERE occurred_at > :now")
        assert session.scalar(later, {"now": now}) == 0
        (closed, opened) = rows(session, "SELECT code, status FROM periods ORDER BY boundary_at")
        assert (closed[1], opened[1]) == ("closed", "open")
        period = service.find_period(session, opened[0])
        exceptions = service.explained_exceptions(session, period, period_lines(session, period))
        found = {(e.line.location_code, e.exception.kind.value) for e in exceptions}
        assert found >= {("DEMO-N2", "negative_sales"), ("DEMO-N4", "no_later_count")}


def test_loading_again_changes_nothing(fresh_database: str) -> None:
    del fresh_database
    counted = "SELECT (SELECT count(*) FROM counts), (SELECT count(*) FROM stock_movements)"
    with transaction() as session:
        load.load_nursery(session)
        load.load_past(session)
        before = rows(session, counted)
        load.load_nursery(session)
        load.load_past(session)
        assert rows(session, counted) == before


@pytest.mark.long
@pytest.mark.timeout(300)
def test_five_photos_wait_for_five_reasons(tmp_path: Path) -> None:
    home = os.environ | {"DEMETER_HOME": str(tmp_path), "NO_COLOR": "1"}
    home.pop("DEMETER_DATABASE_URL", None)  # an embedded one of its own

    def demeter(*words: str) -> str:
        command = [sys.executable, "-m", "demeter", *words]
        done = subprocess.run(command, env=home, capture_output=True, text=True, check=True)
        return done.stdout

    try:
        demeter("demo", "--no-serve")
        sessions = json.loads(demeter("evidence", "list", "sessions", "--json"))
        found = sorted(
            row["reason_code"] or row["status"] for row in sessions if row["status"] != "completed"
        )
        assert found == sorted(
            [
                "discarded",
                "implausible_change",
                "location_unknown",
                "may_show_no_plants",
                "no_config",
                "other_product",
            ]
        )
        demeter("verify")
    finally:
        demeter("db", "stop")
