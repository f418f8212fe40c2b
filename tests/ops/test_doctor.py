"""The doctor finds what is broken, names it, and says how to mend it."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from demeter import cli
from demeter.core import blobs
from demeter.core.settings import settings
from demeter.ops.doctor import Finding, Verdict, examine, is_well
from demeter.ops.doctor import machine as machine_checks


def found(part: str) -> Finding:
    return next(finding for finding in examine() if finding.part == part)


@pytest.fixture
def _own_home(new_home: Path, monkeypatch: pytest.MonkeyPatch, fresh_database: str) -> None:
    monkeypatch.setenv("DEMETER_HOME", str(new_home))
    settings.cache_clear()
    blobs.store.cache_clear()


@pytest.mark.usefixtures("_own_home")
def test_a_migrated_database_is_well() -> None:
    verdicts = {finding.part: finding.verdict for finding in examine()}
    expected = ("Python", "Home", "Cache", "Object store", "Database", "PostGIS", "Schema")
    assert {verdicts[part] for part in (*expected, "Reference rows")} == {Verdict.OK}


@pytest.mark.usefixtures("_own_home")
def test_nobody_at_work_is_a_warning_until_something_waits(fresh_database: str) -> None:
    assert found("Workers").verdict is Verdict.WARNING
    with psycopg.connect(fresh_database) as connection:
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('gpu', 'waits')"
        )
    workers = found("Workers")
    assert workers.verdict is Verdict.FAILED
    assert "jobs to do: 1" in workers.found
    assert "demeter worker" in workers.mend


@pytest.mark.usefixtures("_own_home")
def test_a_missing_reference_row_is_named(fresh_database: str) -> None:
    with psycopg.connect(fresh_database) as connection:
        connection.execute("DELETE FROM product_sizes WHERE code = 'XXL'")
        connection.execute("UPDATE users SET is_active = false")
    rows = found("Reference rows")
    assert rows.verdict is Verdict.FAILED
    assert "product_sizes has 5 of 6" in rows.found
    assert settings().service_user in rows.found


@pytest.mark.usefixtures("_own_home")
def test_an_older_schema_is_told_from_the_newest(fresh_database: str) -> None:
    with psycopg.connect(fresh_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    findings = {finding.part: finding for finding in examine()}
    assert findings["Schema"].verdict is Verdict.FAILED
    assert "db migrate" in findings["Schema"].mend
    assert findings["Workers"].verdict is Verdict.UNKNOWN
    assert not is_well(list(findings.values()))


@pytest.mark.usefixtures("_own_home")
def test_a_server_that_does_not_answer_leaves_the_rest_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEMETER_DATABASE_URL", f"postgresql://nobody@/none?host={tmp_path}")
    settings.cache_clear()
    findings = {finding.part: finding for finding in examine()}
    assert findings["Database"].verdict is Verdict.FAILED
    assert "DEMETER_DATABASE_URL" in findings["Database"].mend
    unknown = [p for p, f in findings.items() if f.verdict is Verdict.UNKNOWN]
    assert unknown == ["PostGIS", "Schema", "Reference rows", "Workers", "Backup"]


@pytest.mark.usefixtures("_own_home")
def test_a_home_that_is_a_file_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "file"))
    settings.cache_clear()
    assert found("Home").verdict is Verdict.FAILED
    assert "DEMETER_HOME" in found("Home").mend


def test_the_shipped_models_are_those_that_are_listed() -> None:
    models = machine_checks.models("Models")
    renew = "(cd src/demeter/vision/networks/weights && sha256sum *.onnx > SHA256SUMS)"
    assert models.verdict is Verdict.OK, f"{models.found}; if they were renewed: {renew}"


def test_a_missing_or_changed_model_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    sums = [f"{blobs.sha256_of(name.encode())}  {name}\n" for name in machine_checks.MODELS]
    (weights / "SHA256SUMS").write_text("".join(sums))
    monkeypatch.setattr(machine_checks, "files", lambda _: tmp_path)
    assert "containers.onnx, judge.onnx, plants.onnx" in machine_checks.models("Models").found
    for name in machine_checks.MODELS:
        (weights / name).write_bytes(name.encode())
    assert machine_checks.models("Models").verdict is Verdict.OK
    (weights / "plants.onnx").write_bytes(b"changed")
    changed = machine_checks.models("Models")
    assert changed.verdict is Verdict.FAILED
    assert changed.found == "missing or changed: plants.onnx"


@pytest.mark.usefixtures("_own_home")
def test_the_command_fails_with_status_1_and_tells_programs_too(fresh_database: str) -> None:
    with psycopg.connect(fresh_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    command = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert command.exit_code == 1
    parts = {finding["part"]: finding["verdict"] for finding in json.loads(command.stdout)}
    assert parts["Schema"] == "failed"
    read = CliRunner().invoke(cli.app, ["doctor"])
    assert read.exit_code == 1
    assert "db migrate" in read.stdout
