"""Every table of the domain is within reach without SQL: by API, by command, and by page."""

from __future__ import annotations

import importlib
import pkgutil

import psycopg
import pytest
from fastapi.testclient import TestClient
from typer.main import get_command

import demeter
from demeter.cli import COMMANDS
from demeter.core.checks import references, run
from demeter.core.db import transaction
from demeter.core.registers.description import Register
from demeter.counts.checks import COUNTS
from demeter.periods.checks import CLOSINGS
from demeter.stock.checks import LOTS, MOVES
from support.nursery import FIXTURES
from support.served import client
from support.signing_in import entrance

__all__ = ["client"]

# What is reached in a way of its own: where it is read and written, and by which command.
OWN_WAY = {
    "users": ("/api/v1/people", "people", "/people"),
    "storage_location_config": ("/api/v1/locations", "beds", "/growing"),
    "s3_images": ("/api/v1/evidence/session-images", "evidence", "/evidence/session-images"),
}
# What runs Demeter and is none of the domain.
OF_THE_SYSTEM = {
    "alembic_version", "backup_runs", "spatial_ref_sys", "api_tokens", "audit_entries",
    "blob_inbox", "dropped_blobs", "retention_runs",
    "idempotency_keys", "job_deaths", "login_failures", "login_sessions", "nursery",
    "one_time_links", "resumable_chunks", "resumable_photos", "resumable_uploads",
    "step_times",
}  # fmt: skip
# Joined to the domain later, each with routes, commands and pages of its own feature.
OF_FEATURES = {
    "blind_recounts", "container_counts", "count_corrections", "counts", "detection_corrections",
    "error_models", "import_files", "import_profiles", "import_rows", "import_runs",
    "model_comparisons", "period_closings", "period_events",
    "period_explanations", "periods", "stock_facts", "vision_model_activations", "vision_models",
    "webhook_attempts", "webhook_deliveries", "webhook_endpoints", "webhook_events",
}  # fmt: skip


def registers() -> dict[str, Register]:
    """Every register of every room, by its table."""
    found: dict[str, Register] = {}
    for room in pkgutil.iter_modules(demeter.__path__):
        if room.name in ("core", "cli", "web") or not room.ispkg:
            continue
        try:
            module = importlib.import_module(f"demeter.{room.name}.registers")
        except ModuleNotFoundError:
            continue
        for value in vars(module).values():
            if isinstance(value, Register):
                found[value.table] = value
    return found


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        names = {name for (name,) in rows}
    return {n for n in names if not n.startswith("procrastinate")} - OF_THE_SYSTEM - OF_FEATURES


def test_every_table_of_the_domain_is_a_register_or_has_its_own_way(fresh_database: str):
    names = tables(fresh_database)
    assert len(names) == 28
    assert sorted(names - set(registers()) - set(OWN_WAY)) == []


def test_each_is_read_and_unless_evidence_written_by_api_command_and_page(client: TestClient):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    browser = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 6))
    browser.get(entrance("marta"))
    missing = []
    for table, register in registers().items():
        wanted = {"get"} if register.read_only else {"get", "post"}
        if not wanted <= set(paths.get(register.path, {})):
            missing.append(f"{table}: {register.path}")
        if not register.read_only:
            one = set(paths[f"{register.path}/{{key}}"])
            retires = f"{register.path}/{{key}}/deactivate" in paths or "delete" in one
            if "patch" not in one or not retires:
                missing.append(f"{table}: changed and retired at {register.path}")
        shelf = "places" if register.room == "places" else None
        page = f"/{shelf or ('evidence' if register.read_only else 'catalog')}/{register.name}"
        if browser.get(page).status_code != 200:
            missing.append(f"{table}: {page}")
    for table, (path, _, page) in OWN_WAY.items():
        if path not in paths or browser.get(page).status_code != 200:
            missing.append(f"{table}: {path}, {page}")
    assert missing == []


def verbs(group: str) -> set[str]:
    source = COMMANDS[group]
    command = get_command(getattr(importlib.import_module(source.module), source.attribute))
    return set(getattr(command, "commands", {}))


def test_each_has_its_commands():
    assert {"list", "show"} <= verbs("evidence")
    assert {"list", "show", "add", "change", "retire", "delete"} <= verbs("catalog")
    assert {"list", "grow", "clear"} <= verbs("beds")
    assert {"list", "add", "role", "deactivate"} <= verbs("people")


def test_the_fixtures_fill_every_table_and_the_ledger_is_sound(fresh_database: str):
    names = tables(fresh_database)
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute(FIXTURES.read_bytes())
        empty = [
            name
            for name in sorted(names)
            if connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,)
        ]
    assert empty == []
    with transaction() as session:
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        assert [result.examples for result in run(session, checks) if result.wrong] == []


@pytest.mark.parametrize("table", ["detections", "estimations", "classifications", "sessions"])
def test_evidence_is_read_as_it_is_stored(client: TestClient, table: str):
    with transaction() as session:
        rest = FIXTURES.read_text().partition("-- What follows fills")[2]
        session.connection().exec_driver_sql("-- " + rest)
    rows = client.get(f"/api/v1/evidence/{table}").json()["items"]
    assert len(rows) == (10 if table == "detections" else 1)
    assert client.get(f"/api/v1/evidence/{table}/{rows[0]['id']}").json() == rows[0]
    assert client.post(f"/api/v1/evidence/{table}", json={}).status_code == 405
