"""Real PostgreSQL for every test: one private cluster a run, one migrated template, cheap copies.

With DEMETER_DATABASE_URL set, that server is used instead; its role must be allowed to create
databases and the extension postgis.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.core import db
from demeter.core.errors import Unavailable
from demeter.core.localdb import LocalDatabase
from demeter.core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUN = "DEMETER_TESTS_RUN"  # the run's directory; xdist's workers inherit it
MARK = "demeter-tests-"
TEMPLATE = "demeter_template"

# A machine with other work to do is slow, not wrong.
hypothesis.settings.register_profile("demeter", deadline=None)
hypothesis.settings.load_profile("demeter")

# Rules are asked for as a command asks for them; requests say who they are.
identity.own_machine()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    _end_runs_that_were_killed()
    run = Path(tempfile.mkdtemp(prefix=f"{MARK}{os.getpid()}-"))
    _link_unpacked_programs(run)
    os.environ[RUN] = str(run)
    os.environ["DEMETER_HOME"] = str(run)  # no test touches the person's own data
    settings.cache_clear()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and RUN in os.environ:
        _end_run(Path(os.environ.pop(RUN)))


def _end_runs_that_were_killed() -> None:
    for run in Path(tempfile.gettempdir()).glob(f"{MARK}*"):
        pid = run.name.removeprefix(MARK).partition("-")[0]
        if not Path("/proc", pid).exists() and run.stat().st_uid == os.geteuid():
            _end_run(run)


def _end_run(run: Path) -> None:
    with suppress(Unavailable):
        LocalDatabase(run).stop()
    shutil.rmtree(run, ignore_errors=True)


def _link_unpacked_programs(home: Path) -> None:
    """Where PostgreSQL and Chromium were unpacked without root, the tests' homes share them."""
    for name in ("postgresql", "chromium"):
        unpacked = settings().home / name
        if unpacked.exists():
            (home / name).symlink_to(unpacked.resolve())


@pytest.fixture(autouse=True)
def new_process() -> None:
    """What a server or command of ours sets for its process is gone before the next test."""
    os.umask(0o022)
    identity.act_as(identity.MachineOwner())


@pytest.fixture
def new_home(tmp_path: Path) -> Path:
    """An empty DEMETER_HOME of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    _link_unpacked_programs(home)
    return home


@pytest.fixture(scope="session")
def server_url() -> str:
    """A libpq URL of the tests' server, where the migrated template stands ready."""
    run = Path(os.environ[RUN])
    with (run / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker makes what the others use
        url = (
            os.environ.get("DEMETER_DATABASE_URL")
            or LocalDatabase(run, durable=False).ensure_running()
        )
        if not (run / "template").exists():
            _make_template(url)
            (run / "template").touch()
    return url


def _make_template(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        name = sql.Identifier(TEMPLATE)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
    engine = db.make_engine(_with_database(url, TEMPLATE))
    db.migrate(engine)
    engine.dispose()  # a database with connections cannot be a template


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _copy_of_template(url: str) -> Iterator[str]:
    name = f"demeter_test_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as server:
        new, template = sql.Identifier(name), sql.Identifier(TEMPLATE)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, template))
        try:
            yield _with_database(url, name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


@pytest.fixture(scope="session")
def engine(server_url: str) -> Iterator[Engine]:
    """This worker's own migrated database; what tests write there through `session` is undone."""
    with _copy_of_template(server_url) as url:
        engine = db.make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose commits are savepoints: everything is rolled back after the test."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        outer.rollback()


@pytest.fixture
def fresh_database(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A migrated database of the test's own, for real commits and for other processes.

    It is what `demeter.core.db` uses in this process and, by DEMETER_DATABASE_URL, in those that it
    starts.
    """
    with _copy_of_template(server_url) as url:
        monkeypatch.setenv("DEMETER_DATABASE_URL", url)
        _forget_settings()
        yield url
        db.engine().dispose()
    monkeypatch.undo()
    _forget_settings()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium: the system's, or the one that set-up unpacked.

    While it is open an event loop runs in this process, so a test beside it cannot run jobs
    here; that is why it ends with its module.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only pages' tests pay for it

    names = ("chromium", "chromium-browser", "google-chrome")
    found = [shutil.which(name) for name in (*names, Path(os.environ[RUN]) / "chromium/chromium")]
    program = next(filter(None, found), None)
    if program is None:
        pytest.skip("no Chromium here: `make test` installs it where it may")
    with sync_playwright() as playwright:
        # Pages of our own on loopback need no sandbox, which root and containers do not have.
        calm = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=program, args=calm)
        yield browser
        browser.close()


def _forget_settings() -> None:
    settings.cache_clear()
    db.engine.cache_clear()
