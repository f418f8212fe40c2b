"""The embedded PostgreSQL under what goes wrong on real machines."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demeter.core.localdb import LocalDatabase, LocalDatabaseFailed, PostgresProgramsMissing
from demeter.core.localdb import programs as programs_module
from demeter.core.localdb.sockets import LONGEST_PATH_BYTES, socket_dir

START = (
    "import sys; from pathlib import Path; from demeter.core.localdb import LocalDatabase; "
    "print(LocalDatabase(Path(sys.argv[1]), durable=False).ensure_running())"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another account")


@pytest.fixture
def database(new_home: Path) -> Iterator[LocalDatabase]:
    database = LocalDatabase(new_home, durable=False)
    yield database
    database.stop()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def server_pid(database: LocalDatabase) -> int:
    return int((database.data_dir / "postmaster.pid").read_text().splitlines()[0])


def lives(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be reaped does not."""
    try:
        return Path("/proc", str(pid), "cwd").exists()
    except OSError:
        return False


def test_from_nothing_to_postgis_and_back_to_nothing_running(database: LocalDatabase) -> None:
    assert database.status().state == "absent"
    url = database.ensure_running()
    assert ask(url, "SELECT ST_Area('POLYGON((0 0, 0 2, 2 2, 2 0, 0 0))')") == 4
    assert database.status().state == "running"
    pid = server_pid(database)
    assert database.ensure_running() == url
    assert server_pid(database) == pid
    database.stop()
    database.stop()
    assert database.status().state == "stopped"
    assert not lives(pid)


def test_it_is_private_to_its_maker(database: LocalDatabase) -> None:
    url = database.ensure_running()
    assert database.data_dir.stat().st_mode & 0o777 == 0o700
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SELECT current_user") == "demeter"
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(f"{url}&user=postgres", connect_timeout=2)


@needs_root
def test_the_account_that_runs_it_for_root_may_not_connect(database: LocalDatabase) -> None:
    url = database.ensure_running()
    owner = pwd.getpwuid(database.data_dir.stat().st_uid)
    assert owner.pw_uid != 0
    with psycopg.connect(url) as connection:
        rules = connection.execute("SELECT sys_name, pg_username FROM pg_ident_file_mappings")
        assert rules.fetchall() == [("root", "demeter")]


@needs_root
def test_a_home_that_nobody_else_may_enter_stays_closed(database: LocalDatabase) -> None:
    database.home.chmod(0o700)
    database.home.parent.chmod(0o700)
    before = [p.stat().st_mode for p in (database.home, *database.home.parents)]
    database.ensure_running()
    assert [p.stat().st_mode for p in (database.home, *database.home.parents)] == before


def test_processes_that_start_it_at_the_same_moment_all_get_it(database: LocalDatabase) -> None:
    command = [sys.executable, "-c", START, str(database.home)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = {process.communicate(timeout=60)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert outputs == {database.url}


def test_a_killed_server_comes_back_with_what_was_committed(database: LocalDatabase) -> None:
    url = database.ensure_running()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    idle = psycopg.connect(url)  # a backend that outlives the server for a moment
    os.kill(server_pid(database), signal.SIGKILL)
    assert ask(database.ensure_running(), "SELECT answer FROM kept") == 42
    idle.close()


def test_a_lock_that_names_somebody_elses_process_does_not_stop_it(
    database: LocalDatabase,
) -> None:
    database.ensure_running()
    lock = database.data_dir / "postmaster.pid"
    words = lock.read_text().splitlines()
    database.stop()
    # As after a restart of the machine: the number now belongs to another process.
    owner = database.data_dir.stat()
    sleeper = subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid)
    try:
        lock.write_text("\n".join([str(sleeper.pid), *words[1:]]) + "\n")
        started = time.monotonic()
        assert ask(database.ensure_running(), "SELECT 1") == 1
        assert time.monotonic() - started < 10
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_home_whose_socket_name_would_be_too_long(new_home: Path) -> None:
    deep = new_home / ("n" * LONGEST_PATH_BYTES)
    deep.mkdir()
    (deep / "postgresql").symlink_to(new_home / "postgresql")
    database = LocalDatabase(deep, durable=False)
    try:
        assert ask(database.ensure_running(), "SELECT 1") == 1
        assert stat.S_IMODE(socket_dir(database.data_dir).stat().st_mode) == 0o700
    finally:
        database.stop()
    assert not socket_dir(database.data_dir).exists()


def test_a_short_socket_directory_that_somebody_else_made_is_refused(new_home: Path) -> None:
    deep = new_home / ("n" * LONGEST_PATH_BYTES)
    deep.mkdir()
    (deep / "postgresql").symlink_to(new_home / "postgresql")
    database = LocalDatabase(deep, durable=False)
    squatted = socket_dir(database.data_dir)
    squatted.mkdir(mode=0o755)
    try:
        with pytest.raises(LocalDatabaseFailed, match="mode 0700"):
            database.ensure_running()
    finally:
        squatted.rmdir()


def test_a_home_with_a_comma_a_space_and_an_accent(new_home: Path) -> None:
    odd = new_home / "vivero, año 1"
    odd.mkdir()
    (odd / "postgresql").symlink_to(new_home / "postgresql")
    database = LocalDatabase(odd, durable=False)
    try:
        assert ask(database.ensure_running(), "SELECT 1") == 1
    finally:
        database.stop()


def test_a_creation_that_was_cut_short_is_done_again(database: LocalDatabase) -> None:
    half = database.home / "database.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    assert ask(database.ensure_running(), "SELECT 1") == 1


def test_settings_that_postgresql_refuses_are_said_at_once(database: LocalDatabase) -> None:
    database.ensure_running()
    database.stop()
    with (database.data_dir / "demeter.conf").open("a") as conf:
        conf.write("shared_buffers = 'plenty'\n")
    started = time.monotonic()
    with pytest.raises(LocalDatabaseFailed, match="plenty"):
        database.ensure_running()
    assert time.monotonic() - started < 10


def test_without_programs_it_says_what_to_do(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (new_home / "postgresql").unlink(missing_ok=True)
    monkeypatch.setattr(programs_module, "INSTALLED_ROOT", new_home / "nothing")
    monkeypatch.setenv("PATH", str(new_home))
    with pytest.raises(PostgresProgramsMissing) as raised:
        LocalDatabase(new_home).ensure_running()
    assert "make setup" in raised.value.next_action


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LocalDatabaseFailed, match="DEMETER_HOME"):
        LocalDatabase(tmp_path / "file" / "home").ensure_running()
