"""An upgrade that is looked at first, hindered by name, and taken back."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from demeter.core import db
from demeter.core.checks import references
from demeter.core.checks import run as run_checks
from demeter.core.db import transaction
from demeter.counts.checks import COUNTS
from demeter.demo.years import load_years
from demeter.ops.backup import restore as way_back
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import open_repository
from demeter.ops.upgrade import UpgradePlan, plan_upgrade
from demeter.periods.checks import CLOSINGS
from demeter.stock.checks import LOTS, MOVES
from ops.test_backup import nursery, sums, use
from support.commands import demeter

__all__ = ["nursery", "use"]
EARLIER = "0013"  # before people, imports, uploads in chunks and backups
KEPT = ("stock_batches", "stock_movements", "counts", "s3_images", "detections", "periods")


def go_back(url: str) -> None:
    """The database as the earlier version would have it, with data in it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE price_list SET retail_unit_price = 1")  # null came later
    db.migrate(db.engine(), EARLIER)


def test_what_the_earlier_schema_cannot_hold_is_not_thrown_away(nursery: str) -> None:
    before = sums(nursery)
    with pytest.raises(db.SchemaTooNarrow, match="retail_unit_price"):
        db.migrate(db.engine(), EARLIER)
    assert sums(nursery) == before


def hindrances(plan: UpgradePlan) -> str:
    return " ".join(c.sentence for c in plan.concerns if c.is_hindrance)


def test_a_database_of_this_version_has_nothing_to_do(nursery: str) -> None:
    plan = plan_upgrade(db.engine())
    assert (plan.steps, plan.at, plan.may_go_on) == ((), plan.head, True)


def test_a_plan_names_migrations_tables_and_the_way_back(nursery: str, use, tmp_path: Path) -> None:
    go_back(nursery)
    plan = plan_upgrade(db.engine())
    assert plan.at == EARLIER
    assert [step.revision for step in plan.steps][:2] == ["0014", "0015"]
    touched = {table.table: table for step in plan.steps for table in step.tables}
    assert touched["users"].is_closed
    assert "no way back" in hindrances(plan)
    use(backup_place=str(tmp_path / "kept"))
    assert "No backup to go back to" in hindrances(plan_upgrade(db.engine()))


def test_a_database_of_a_later_version_is_named(nursery: str) -> None:
    with psycopg.connect(nursery, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    plan = plan_upgrade(db.engine())
    assert not plan.may_go_on
    assert "9999" in hindrances(plan)


def test_the_command_ends_with_1_where_the_upgrade_may_not_begin(nursery: str) -> None:
    assert demeter("upgrade", "--check").returncode == 0
    go_back(nursery)
    checked = demeter("upgrade", "--check")
    assert checked.returncode == 1
    assert "0014" in checked.stdout
    assert demeter("upgrade").returncode == 1
    with psycopg.connect(nursery) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row == (EARLIER,)


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [("lock", "1", "LOCK_TIMEOUT_S"), ("statement", "1", "STATEMENT_TIMEOUT_S")],
)
def test_a_migration_that_waits_too_long_is_named_and_changes_nothing(
    nursery: str, use, setting: str, value: str, named: str
) -> None:
    go_back(nursery)
    before = sums(nursery)
    use(**{f"migration_{setting}_timeout_s": value})
    with psycopg.connect(nursery) as other:
        other.execute("LOCK TABLE users")
        with pytest.raises(db.MigrationHindered, match=named):
            db.migrate(db.engine())
    assert sums(nursery) == before


def unsound_checks() -> list[str]:
    with transaction() as session:
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        return [result.code for result in run_checks(session, checks) if result.wrong]


@pytest.mark.long
def test_an_upgrade_and_both_ways_back(nursery: str, use, tmp_path: Path) -> None:
    """Data of an earlier schema goes up and proves sound; back by the backup, and by downgrade."""
    place = str(tmp_path / "kept")
    use(backup_place=place)
    go_back(nursery)
    earlier = sums(nursery)
    made = demeter("backup")  # of this version, on the database of the earlier one
    assert made.returncode == 0, made.stderr
    plan = plan_upgrade(db.engine())
    assert plan.may_go_on, plan.concerns
    db.migrate(db.engine())
    unsound = unsound_checks()
    assert {t: sums(nursery)[t].rows for t in KEPT} == {t: earlier[t].rows for t in KEPT}

    repository = open_repository(place_of(place))
    db.engine().dispose()
    way_back.restore(repository, repository.pick(None), replace=True)
    assert sums(nursery) == earlier
    db.migrate(db.engine())
    go_back(nursery)
    again = sums(nursery)
    assert {t: again[t] for t in KEPT} == {t: earlier[t] for t in KEPT}
    db.migrate(db.engine())
    assert unsound_checks() == unsound == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_each_migration_runs_on_years_of_a_nursery(fresh_database: str) -> None:
    """Down one revision and up again, each with the ledger's rows as they were."""
    with transaction() as session:
        load_years(session, 5, places=100, seed=1, progress=lambda rows, _: rows)
    before = {table: sums(fresh_database)[table].rows for table in KEPT}
    assert before["stock_movements"] > 20_000
    revisions = list(ScriptDirectory(str(db.migrations())).walk_revisions())
    for revision in revisions[
        : revisions.index(next(r for r in revisions if r.revision == "0012"))
    ]:
        db.migrate(db.engine(), str(revision.down_revision))
        db.migrate(db.engine(), revision.revision)
        db.migrate(db.engine(), str(revision.down_revision))
        assert {t: sums(fresh_database)[t].rows for t in KEPT} == before
    db.migrate(db.engine())
    assert unsound_checks() == []
