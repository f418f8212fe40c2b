"""Processes that run together: started again when they die, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demeter.ops.supervisor import Crew, Role

SLEEPER = (sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
)
DYING = (sys.executable, "-c", "import sys; sys.exit('the disk is on fire')")


def runs_while(crew: Crew, happens: Callable[[], bool], within_s: float = 20) -> bool:
    """Run the crew here until something happens; whether it did in time."""
    condition_met = threading.Event()

    def watch() -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not condition_met.is_set():
            if happens():
                condition_met.set()
            time.sleep(0.05)
        crew.stop()

    watching = threading.Thread(target=watch)
    watching.start()
    crew.run()
    watching.join()
    return condition_met.is_set()


def test_all_run_and_all_have_ended_when_it_returns() -> None:
    crew = Crew([Role("one", SLEEPER), Role("two", SLEEPER)], say=lambda _: None)
    pids: list[int | None] = []

    def both_run() -> bool:
        pids[:] = [member.pid for member in crew.members if member.is_alive]
        return len(pids) == 2

    assert runs_while(crew, both_run)
    assert not any(member.is_alive for member in crew.members)


def test_one_that_is_killed_is_started_again() -> None:
    lines: list[str] = []
    crew = Crew([Role("one", SLEEPER)], say=lines.append)
    killed: list[int] = []

    def another_runs() -> bool:
        pid = crew.members[0].pid
        if pid is not None and not killed:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        return bool(killed) and pid not in (None, killed[0]) and crew.members[0].is_alive

    assert runs_while(crew, another_runs)
    assert any("one ended (signal 9)" in line for line in lines)


def test_one_that_keeps_dying_has_its_last_words_told() -> None:
    lines: list[str] = []
    crew = Crew([Role("worker", DYING)], say=lines.append)
    assert runs_while(crew, lambda: any("on fire" in line for line in lines))
    assert any("keeps dying" in line for line in lines)


def test_one_that_does_not_listen_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demeter.ops.supervisor.crew.PATIENCE_S", 0.5)
    crew = Crew([Role("stubborn", STUBBORN)], say=lambda _: None)
    started = time.monotonic()
    assert runs_while(crew, lambda: crew.members[0].is_alive and time.monotonic() - started > 1)
    assert not crew.members[0].is_alive


def test_none_outlives_a_crew_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from demeter.ops.supervisor import Crew, Role

def note():
    if crew.members[0].pid:
        Path(sys.argv[1]).write_text(str(crew.members[0].pid))

crew = Crew([Role("one", {SLEEPER!r})], print, note)
crew.run()
"""
    noted = tmp_path / "pid"
    crew = subprocess.Popen([sys.executable, "-c", program, str(noted)])
    deadline = time.monotonic() + 20
    while not (noted.exists() and noted.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(noted.read_text())
    crew.kill()
    crew.wait()
    while Path("/proc", str(pid), "cwd").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path("/proc", str(pid), "cwd").exists()
