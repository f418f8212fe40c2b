"""Commands as processes of their own: what they print can be used in the next one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable

import pytest

from demeter.core.db import transaction
from demeter.photos import record
from support import commands
from support.ledgersteps import supervisor
from support.nursery import counted_session, photo_count, plant_nursery

Demeter = Callable[..., str]


@pytest.fixture
def demeter(fresh_database: str) -> Demeter:
    """A command in a process of its own; what it prints where it succeeds."""
    del fresh_database
    with transaction() as session:
        plant_nursery(session)
        supervisor(session)

    def run(*words: object, status: int = 0) -> str:
        env = os.environ | {"COLUMNS": "80", "DEMETER_LOG_LEVEL": "ERROR"}
        done = commands.demeter(*map(str, words), env=env)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == status, done.stderr + done.stdout
        return done.stderr if status else done.stdout

    return run


@pytest.mark.long
def test_a_day_comes_back_as_it_was_meant_and_its_id_undoes_it(demeter: Demeter) -> None:
    assert "unknown plants" in demeter("stock", "show", "--location", "A1")
    demeter("counts", "add", "A1", "100", "--at", "2026-03-01", "--user", "julia")
    reported = demeter("stock", "report", "plantar", 5, "--location", "A1", "--at", "2026-03-02")
    assert "2026-03-02 23:59" in reported
    listed = demeter("stock", "movements")
    (planted,) = [line for line in listed.splitlines() if "plantar" in line]
    movement = re.search(r"[0-9a-f-]{36}", planted)
    assert movement is not None
    demeter("stock", "undo", movement[0], "--reason", "another bed")
    assert "100 plants" in demeter("stock", "show", "--location", "A1")


@pytest.mark.long
def test_a_bed_that_waits_to_be_configured(demeter: Demeter) -> None:
    with transaction() as session:
        waiting = counted_session(session, photo_count((7, 0)), code="A3")
        record.record_session(session, waiting)
    listed = demeter("photos", "list", "--waiting")
    assert str(waiting.session_id) in listed
    assert "needs_config" in listed
    assert "MAMMILLARIA-01" in demeter("beds", "choices")
    refused = demeter("beds", "grow", "A3", "--product", "MAMILARIA", "--state", "ADULT", status=1)
    assert "MAMMILLARIA-01" in refused
    away = demeter("photos", "discard", waiting.session_id, "--reason", "not a bed")
    assert "not a bed" in away
    assert "needs_config" in demeter("photos", "restore", waiting.session_id)
    words = ("--product", "MAMMILLARIA-01", "--state", "adult", "--framed-whole")
    assert "yes" in demeter("beds", "grow", "A3", *words)
    demeter("worker", "--once")
    shown = json.loads(demeter("photos", "show", waiting.session_id, "--json"))
    assert shown["status"] == "completed"
    assert "looked" not in demeter("photos", "accept", waiting.session_id, "--user", "julia")
    shown = json.loads(demeter("photos", "show", waiting.session_id, "--json"))
    assert shown["validated_by"] == "julia"


@pytest.mark.long
def test_a_first_month_is_explained_in_one_act(demeter: Demeter) -> None:
    for code in ("A1", "A2"):
        demeter("counts", "add", code, 100, "--at", "2026-03-01", "--user", "julia")
    assert "2026-04-01 00:00" in demeter("periods", "open", "2026-03")
    assert "—" in demeter("periods", "show", "2026-03")
    refused = demeter("periods", "explain", "2026-03", "first month", status=1)
    assert "--kind" in refused
    kind = ("--kind", "no_later_count", "--at", "NAVE1")
    assert "2 exceptions" in demeter("periods", "explain", "2026-03", "first month", *kind)
    demeter("periods", "open", "2026-11b", status=1)
    assert "2026-11-16 00:00" in demeter("periods", "open", "P2", "--ends", "2026-11-15")
