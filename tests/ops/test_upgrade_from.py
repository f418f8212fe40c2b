"""From an earlier version with data that its own code made, up to this one, and both ways back.

UPGRADE_FROM names a commit or tag; by default the one before backups and upgrades were made.
`make upgrade-from BASE=…` runs it alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.core.localdb import programs
from demeter.core.settings import settings
from ops.test_backup import sums, use
from ops.test_upgrade import KEPT, unsound_checks
from support.commands import demeter

__all__ = ["use"]
ROOT = Path(__file__).parents[2]
BASE = os.environ.get("UPGRADE_FROM") or "c56bc5b"
# Tests of the earlier version, through its own doors; what each leaves is kept and upgraded.
FILLING = {
    "photo and correction": "tests/review/test_api_corrections.py"
    "::test_marks_are_read_corrected_and_read_again",
    "closed months": "tests/periods/test_sales_file.py"
    "::test_a_later_period_begins_where_the_one_before_ends",
    "import": "tests/imports/test_api.py::test_a_survey_is_previewed_decided_and_carried_out_once",
}
# Kept before a test's database is dropped: a dump, and the objects of its home.
PLUGIN = """
import os, shutil, subprocess
from pathlib import Path
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    from demeter.core import db
    from demeter.core.localdb import programs
    from demeter.core.settings import settings
    url = item.funcargs["fresh_database"]
    folder = Path(os.environ["LEFT"], item.name.partition("[")[0])
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(os.environ["DEMETER_TESTS_RUN"])
    found = programs.find(home)
    words = [found.path("pg_dump"), "-Fc", "--no-owner", "-f", folder / "dump", "-d", url]
    subprocess.run(words, check=True, env={**os.environ, **found.environment})
    if (settings().home / "objects").exists():
        shutil.copytree(settings().home / "objects", folder / "objects", dirs_exist_ok=True)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version's files, and in `left` what its tests left behind."""
    folder = tmp_path_factory.mktemp("earlier")
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "cat-file", "-e", f"{BASE}^{{commit}}"], check=False).returncode:
        said = f"{BASE} is not in this clone: name another commit, or git fetch --unshallow"
        pytest.fail(said) if os.environ.get("UPGRADE_FROM") else pytest.skip(said)
    archive = subprocess.run([*git, "archive", BASE], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    (folder / "tests" / "leave_behind.py").write_text(PLUGIN)
    words = ["-m", "pytest", "-q", "-x", "-p", "leave_behind", "-p", "no:cacheprovider"]
    filled = earlier(folder, *words, *FILLING.values(), LEFT=str(folder / "left"))
    assert filled.returncode == 0, filled.stdout[-3000:] + filled.stderr[-2000:]
    return folder


def earlier(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python with the earlier version's code."""
    paths = os.pathsep.join(str(folder / part) for part in ("src", "tests"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEMETER_")}
    environment |= {"PYTHONPATH": paths, "NO_COLOR": "1"} | variables
    unpacked = Path(os.environ["DEMETER_TESTS_RUN"], "postgresql")
    if unpacked.exists():  # programs that were unpacked without root
        environment.setdefault("DEMETER_HOME", str(unpacked.resolve().parent))
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def left(base: Path, server_url: str, tmp_path: Path, use, request) -> Iterator[str]:
    """A database as the earlier version left it, and this process at home beside its objects."""
    folder = base / "left" / FILLING[request.param].rpartition("::")[2]
    name = f"demeter_test_{secrets.token_hex(6)}"
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    found = programs.find(settings().home)
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            subprocess.run(
                [found.path("pg_restore"), "--no-owner", "-d", url, str(folder / "dump")],
                check=True, env={**os.environ, **found.environment},
            )  # fmt: skip
            home = tmp_path / "home"
            home.mkdir()
            if (folder / "objects").exists():
                shutil.copytree(folder / "objects", home / "objects")
            use(home=str(home), database_url=url, backup_place=str(tmp_path / "kept"))
            yield url
        finally:
            db.engine().dispose()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def revision(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return row[0]


def run(*words: str) -> None:
    answer = demeter(*words)
    assert answer.returncode == 0, (words, answer.stdout, answer.stderr)


def earlier_verifies(base: Path, url: str) -> None:
    home = str(settings().home)
    answer = earlier(base, "-m", "demeter", "verify", DEMETER_DATABASE_URL=url, DEMETER_HOME=home)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("left", FILLING, indirect=True)
def test_data_of_an_earlier_version_goes_up_and_both_ways_back(left: str, base: Path) -> None:
    before, begun_at = sums(left), revision(left)
    earlier_verifies(base, left)
    run("backup")
    run("upgrade", "--check")
    run("upgrade")
    assert unsound_checks() == []
    after = sums(left)
    assert {t: after[t].rows for t in KEPT} == {t: before[t].rows for t in KEPT}
    with transaction() as session:  # it works on: jobs of before, and a photo of now
        new = blobs.accept(session, b"a photo of now", "image/jpeg")
    run("worker", "--once", "--queue", "cpu", "--queue", "io")
    blobs.move_to_store(db.engine(), new)
    assert blobs.read_checked(new) == b"a photo of now"
    run("verify")

    db.engine().dispose()
    run("restore", "--replace")  # back by the backup: to the row as it was
    assert sums(left) == before
    earlier_verifies(base, left)

    run("upgrade")  # and up again, then down where nothing new was written
    run("db", "migrate", "--revision", begun_at)
    assert revision(left) == begun_at
    again = sums(left)
    assert {t: again[t] for t in KEPT} == {t: before[t] for t in KEPT}
    earlier_verifies(base, left)
