"""Lines of a log whose reader leaves or hangs, or whose disk fills: they hold nobody up."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.disks import fill, small_disk

__all__ = ["small_disk"]

# Says it is ready, writes 3,000 lines, waits for a word, writes one more, and says how it was.
WRITER = """
import sys, time
from demeter.core import logs
logs.configure()
log = logs.get("beds")
started = time.monotonic()
for n in range(3000):
    log.warning("bed_seen", number=n, text="x" * 200)
longest = time.monotonic() - started
lost = logs.output.lost
print(f"{longest:.2f} {lost}", flush=True)
sys.stdin.readline()
log.warning("goes_on")
print(logs.output.lost, flush=True)
"""


def start(stderr: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "DEMETER_LOG_FORMAT": "json"},
    )


def report(process: subprocess.Popen[str]) -> tuple[float, int]:
    assert process.stdout is not None
    seconds, lost = process.stdout.readline().split()
    return float(seconds), int(lost)


def go_on(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go on\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_reader_that_hangs_costs_lines_and_no_time() -> None:
    read_end, write_end = os.pipe()
    process = start(write_end)
    os.close(write_end)
    seconds, lost = report(process)
    assert seconds < 5
    assert lost > 2000
    read_everything(read_end)  # it reads again
    assert go_on(process) == 0
    end(process)
    rest = os.read(read_end, 65_536).decode()
    os.close(read_end)
    assert f'"count": {lost}' in rest
    assert "log_lines_lost" in rest
    assert rest.splitlines()[-1].count("goes_on") == 1


def read_everything(descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    try:
        while os.read(descriptor, 65_536):
            pass
    except BlockingIOError:
        pass


def test_a_reader_that_is_gone_costs_lines_and_no_time() -> None:
    read_end, write_end = os.pipe()
    process = start(write_end)
    os.close(write_end)
    os.close(read_end)
    seconds, lost = report(process)
    assert (seconds < 5, lost) == (True, 3000)
    assert go_on(process) == 3001
    end(process)


def test_a_terminal_that_hangs_costs_lines_and_no_time() -> None:
    leader, follower = pty.openpty()
    process = start(follower)
    os.close(follower)
    seconds, lost = report(process)
    assert seconds < 5
    assert lost > 2000
    end(process)
    os.close(leader)


def test_a_full_disk_costs_lines_and_says_how_many_when_it_is_freed(small_disk: Path) -> None:
    filler = fill(small_disk)
    with (small_disk / "log").open("ab") as log:
        process = start(log)
        seconds, lost = report(process)
        assert (seconds < 5, lost) == (True, 3000)
        filler.unlink()
        assert go_on(process) == 0
        end(process)
    text = (small_disk / "log").read_text()
    assert '"count": 3000' in text
    assert "goes_on" in text


def test_a_slow_reader_loses_nothing() -> None:
    read_end, write_end = os.pipe()
    process = start(write_end)
    os.close(write_end)
    text = b""
    until_quiet = time.monotonic() + 60
    while text.count(b"\n") < 3000 and time.monotonic() < until_quiet:
        text += os.read(read_end, 16_384)
        time.sleep(0.002)
    assert text.count(b"bed_seen") == 3000
    assert report(process)[1] == 0
    end(process)
    os.close(read_end)


CREW = """
import sys, time
from demeter.ops.supervisor import Crew, Role
talk = "import sys, time\\nfor n in range(5000): print('word', 'x' * 200)\\nprint('done', file=open(sys.argv[1], 'w')); sys.stdout.flush(); time.sleep(60)"
crew = Crew([Role("talker", (sys.executable, "-u", "-c", talk, sys.argv[1]))], lambda _: None)
crew.run()
"""  # noqa: E501


@pytest.mark.parametrize("reader", ["hangs", "is gone"])
def test_what_a_process_of_the_crew_says_does_not_hold_it_up(reader: str, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    done = tmp_path / "done"
    crew = subprocess.Popen([sys.executable, "-c", CREW, str(done)], stderr=write_end)
    os.close(write_end)
    if reader == "is gone":
        os.close(read_end)
    try:
        until(done.exists, crew)
    finally:
        crew.terminate()
        crew.wait(20)
    if reader == "hangs":
        os.close(read_end)


def until(question: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not question():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
