"""The command itself: what it lists, what it imports, its version, completion and refusals."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

import demeter
from demeter.cli import COMMANDS, imported_command

# What counts photos and writes files: no list of options needs it.
HEAVY = ("openvino", "scipy", "torch", "alembic", "reportlab", "xlsxwriter")
# What any command that asks the database needs, but not the list of commands.
FEATURES = ("sqlalchemy", "psycopg", "pydantic", "numpy", "cv2", "structlog")
PROGRAM = """
import sys
from demeter.cli import main
watched, sys.argv[1:] = sys.argv[1].split(","), sys.argv[2:]
try:
    main()
finally:
    print("imported:", *(name for name in watched if name in sys.modules), file=sys.stderr)
"""

# What all commands need is imported once; then each one's help is asked for in a fork.
HELPS = """
import io, json, os, sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
from demeter.cli import COMMANDS, main
for name in COMMANDS:
    sys.stdout.flush()
    if os.fork() == 0:
        sys.argv, out, sys.stdout = ["demeter", name, "--help"], sys.stdout, io.StringIO()
        try:
            main()
        except SystemExit:
            pass
        said = {"name": name, "said": sys.stdout.getvalue(), "imported": sorted(sys.modules)}
        print(json.dumps(said), file=out, flush=True)
        os._exit(0)
    os.wait()
"""


def run(
    *words: str, home: Path, executable: tuple[str, ...] = ("-m", "demeter"), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *executable, *words],
        env={**os.environ, "DEMETER_HOME": str(home), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def imported_by(*words: str, watched: tuple[str, ...], home: Path) -> tuple[str, list[str]]:
    """Standard output of a command that succeeds, and which of the watched modules it imports."""
    result = run(*words, home=home, executable=("-c", PROGRAM, ",".join(watched)))
    assert result.returncode == 0, result.stderr
    last = result.stderr.splitlines()[-1]
    return result.stdout, last.removeprefix("imported:").split()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_listed_help_is_the_commands_own(name: str) -> None:
    own = imported_command(name)
    first_paragraph = (own.short_help or own.help or "").split("\n\n")[0]
    assert COMMANDS[name].short_help == " ".join(first_paragraph.split())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_a_list_of_commands_imports_none_of_them(words: list[str], tmp_path: Path) -> None:
    _, imported = imported_by(*words, watched=(*HEAVY, *FEATURES), home=tmp_path)
    assert imported == []


def test_the_help_lists_every_command(tmp_path: Path) -> None:
    listing = run("--help", home=tmp_path)
    assert listing.returncode == 0
    text = " ".join(listing.stdout.split())
    for name, source in COMMANDS.items():
        assert f" {name} {source.short_help}" in text


def test_the_help_of_a_command_waits_for_nothing_heavy(tmp_path: Path) -> None:
    helps = run(home=tmp_path, executable=("-c", HELPS, *FEATURES)).stdout
    told = [json.loads(line) for line in helps.splitlines()]
    assert [one["name"] for one in told] == list(COMMANDS)
    for one in told:
        assert f"Usage: demeter {one['name']}" in one["said"]
        allowed = {"alembic"} if one["name"] == "doctor" else set()  # it looks at the migrations
        assert set(HEAVY) & set(one["imported"]) <= allowed, one["name"]


def test_the_version_is_that_of_the_installed_package(tmp_path: Path) -> None:
    answer = run("--version", home=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, f"demeter {demeter.version()}\n")


def test_a_misspelt_command_is_answered_with_the_right_one(tmp_path: Path) -> None:
    answer = run("count", home=tmp_path)
    assert answer.returncode == 2
    assert "Did you mean 'counts'?" in answer.stderr


def test_completion_is_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    subprocess.run(
        ["bash", "-c", f"{sys.executable} -m demeter --install-completion; exit $?"],
        env={**os.environ, "HOME": str(tmp_path), "DEMETER_HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=120,
    )
    script = tmp_path / ".bash_completions" / "demeter.sh"
    assert "complete -o default -F _demeter_completion demeter" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("demeter pho", "photos"),
        ("demeter db ", "migrate"),
        ("demeter db migrate --r", "--revision"),
    ],
)
def test_a_line_is_completed_with_commands_and_their_options(
    line: str, completed: str, tmp_path: Path
) -> None:
    answer = run(
        home=tmp_path,
        _DEMETER_COMPLETE="complete_bash",
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
    )
    assert completed in answer.stdout.split()


def test_a_refusal_is_a_line_and_not_a_traceback(tmp_path: Path) -> None:
    answer = run("worker", "--queue", "nowhere", home=tmp_path, DEMETER_LOG_FORMAT="console")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        "The input is not valid: no queue is called nowhere: gpu, cpu, io, webhooks\n"
    )


@pytest.fixture
def empty_database(server_url: str) -> Iterator[str]:
    """A database without Demeter's tables."""
    name = f"demeter_empty_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_without_the_schema_is_told_how_to_get_it(
    empty_database: str, tmp_path: Path
) -> None:
    answer = run("verify", home=tmp_path, DEMETER_DATABASE_URL=empty_database)
    assert answer.returncode == 1
    assert "→ Run: demeter db migrate" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("stock", "undo", "00000000-0000-0000-0000-000000000000"),
        ("counts", "void", "1"),
        ("counts", "move", "1", "A1"),
        ("periods", "reopen", "2026-03"),
    ],
)
def test_a_reason_without_which_a_command_refuses_is_required(words, tmp_path: Path) -> None:
    refused = run(*words, home=tmp_path)
    assert refused.returncode == 2
    assert "Missing option '--reason'" in refused.stderr


def test_a_port_that_is_taken_is_said_before_any_work(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        refused = run("demo", home=tmp_path, DEMETER_PORT=port)
        setup = [sys.executable, str(Path(__file__).parents[2] / "scripts" / "setup"), "--serve"]
        environment = {**os.environ, "DEMETER_HOME": str(tmp_path), "DEMETER_PORT": port}
        done = subprocess.run(setup, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert f"Process {os.getpid()} (" in refused.stderr
    assert f"listens at 127.0.0.1:{port} already" in refused.stderr
    assert "DEMETER_PORT" in refused.stderr
    assert f"listens at 127.0.0.1:{port} already" in done.stdout
    assert not list(tmp_path.iterdir())  # not even a database
