"""Logs of real processes: every line is JSON, whoever says it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demeter.core import jobs, logs
from demeter.core.db import transaction

PATIENCE_S = 90
LEVELS = {"debug", "info", "warning", "error", "critical"}
SPEAKERS = """
import logging, sys, threading, warnings
from demeter.core import logs

server = logging.getLogger("uvicorn")  # as uvicorn makes it
server.addHandler(logging.StreamHandler())
server.setLevel("INFO")
server.propagate = False
logs.configure()
logs.catch_crashes()
own = logs.get("demeter.beds")
with logs.bind(session_id=7):
    own.info("bed_seen", plants=3, place="Vivero ñ", path=__import__("pathlib").Path("a"))
try:
    raise ValueError("of two\\nlines")
except ValueError:
    own.exception("bed_lost")
    logging.getLogger("procrastinate.worker").exception("Job %s failed", 12, extra={"action": "x"})
server.info("started")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
logging.getLogger("alembic.runtime.migration").warning("a warning of\\ntwo lines")
logging.getLogger("alembic.runtime.migration").info("left out: libraries speak from WARNING on")
warnings.warn("old way", DeprecationWarning, stacklevel=1)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise RuntimeError("nobody caught it")
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "DEMETER_HOME": str(home), "PYTHONWARNINGS": "always", **more}


def parse_line(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        pytest.fail(f"no JSON: {line}")


def entries(text: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which is JSON and says what, when and how bad."""
    lines = [parse_line(line) for line in text.splitlines()]
    for line in lines:
        assert line["event"], line
        assert line["timestamp"], line
        assert line["level"] in LEVELS, line
    return lines


def test_whoever_speaks_each_line_is_json(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SPEAKERS],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 1
    lines = entries(answer.stderr)
    assert [(line.get("module"), line["level"]) for line in lines if line["level"] != "info"] == [
        ("demeter.beds", "error"),
        ("procrastinate.worker", "error"),
        ("uvicorn.error", "warning"),
        ("alembic.runtime.migration", "warning"),
        ("py.warnings", "warning"),
        ("demeter.core.logs", "critical"),
        ("demeter.core.logs", "critical"),
    ]
    assert lines[0] | {"timestamp": ""} == {
        "module": "demeter.beds",
        "event": "bed_seen",
        "plants": 3,
        "place": "Vivero ñ",
        "path": "PosixPath('a')",
        "session_id": 7,
        "level": "info",
        "timestamp": "",
    }
    assert "ValueError: of two\nlines" in lines[1]["exception"]
    assert lines[2]["event"] == "Job 12 failed"
    assert "ValueError: of two\nlines" in lines[2]["exception"]
    assert lines[3] | {"timestamp": ""} == {
        "module": "uvicorn",
        "event": "started",
        "level": "info",
        "timestamp": "",
    }
    assert "ZeroDivisionError" in lines[-2]["exception"]
    assert "RuntimeError: nobody caught it" in lines[-1]["exception"]


def test_on_a_terminal_nothing_is_json(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SPEAKERS],
        env=environment(tmp_path, DEMETER_LOG_FORMAT="console"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "bed_seen" in answer.stderr
    assert "Job 12 failed" in answer.stderr
    assert "of two" in answer.stderr
    assert not any(line.startswith("{") for line in answer.stderr.splitlines())


def test_what_a_request_says_commands_no_terminal() -> None:
    line = logs._tame(None, "info", {"event": "request", "path": "/\x1b[2J\nVivero ñ", "n": 1})
    assert line == {"event": "request", "path": "/\\x1b[2J\\nVivero ñ", "n": 1}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose standard error and output go to a file; asked to stop at the end."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(question: Callable[[], object], what: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if question():
            return
        assert process.poll() is None, f"{what}: the process has ended"
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {PATIENCE_S} s")


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def send_nonsense(port: int) -> None:
    """What makes uvicorn itself complain."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
        connection.recv(1024)


def ask(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def enqueue_unknown_task() -> None:
    """A job that fails in procrastinate's own hands."""
    with transaction() as session:
        jobs._outbox.configure_task(
            "nobody_has_it",
            queue="cpu",
            allow_unknown=True,
            connection=session.connection().connection.driver_connection,
        ).defer()


@pytest.mark.timeout(300)
def test_every_line_of_demeter_up_is_json(fresh_database: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    enqueue_unknown_task()
    env = environment(tmp_path, DEMETER_PORT=str(port))
    with running([sys.executable, "-m", "demeter", "up"], env, log) as process:
        until(lambda: "Demeter is at" in log.read_text(), "the server answers", process)
        assert ask(port, "/login") == 200
        send_nonsense(port)
        until(lambda: "Invalid HTTP" in log.read_text(), "uvicorn complains", process)
        until(lambda: "nobody_has_it" in log.read_text(), "the job fails", process)
        kill_a_child(process.pid)
        until(lambda: "starting it again" in log.read_text(), "the death is seen", process)
    lines = entries(log.read_text())
    speakers = {str(line.get("module")).partition(".")[0] for line in lines}
    assert {"demeter", "uvicorn", "procrastinate"} <= speakers
    assert lines[-1]["message"] == "Stopped."


def kill_a_child(parent: int) -> None:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)


@pytest.mark.timeout(300)
def test_what_a_process_prints_before_it_logs_is_json_too(
    fresh_database: str, tmp_path: Path
) -> None:
    """A web server that cannot start says so in lines of its own; the supervisor wraps them."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "uvicorn.py").write_text("raise SystemExit('no such thing\\n\\nas a server')\n")
    log = tmp_path / "log"
    env = environment(tmp_path, DEMETER_PORT=str(free_port()))
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(broken), env.get("PYTHONPATH")]))
    with running([sys.executable, "-m", "demeter", "up"], env, log) as process:
        until(lambda: "as a server" in log.read_text(), "it fails", process)
    lines = entries(log.read_text())
    printed = [line["output"] for line in lines if line["event"] == "process_output"]
    assert printed[:2] == ["no such thing", "as a server"]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_that_a_person_starts_logs_json(fresh_database: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "uvicorn", "--factory", "demeter.app:create_app"]
    with running([*command, "--port", str(port)], environment(tmp_path), log) as process:
        until(lambda: answers(port), "the server answers", process)
        send_nonsense(port)
        assert ask(port, "/nowhere") == 404
    lines = entries(log.read_text())
    events = [line["event"] for line in lines]
    assert "request" in events
    assert any("Started server process" in event for event in events)
    assert any("Invalid HTTP request" in event for event in events)


@pytest.mark.timeout(300)
def test_a_worker_logs_json(fresh_database: str, tmp_path: Path) -> None:
    enqueue_unknown_task()
    answer = subprocess.run(
        [sys.executable, "-m", "demeter", "worker", "--once"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    lines = entries(answer.stderr)
    assert any("nobody_has_it" in str(line) and line["level"] == "error" for line in lines)


def test_a_refusal_of_a_service_is_a_line_of_its_log(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "demeter", "worker", "--queue", "nowhere"],
        env=environment(tmp_path, PYTHONWARNINGS=""),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (line,) = entries(answer.stderr)
    assert (answer.returncode, line["code"]) == (1, "invalid_input")
    assert "nowhere" in line["detail"]
