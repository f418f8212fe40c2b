"""Steps at which a process may be let die: each is come to in the code, and costs nothing."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import timeit
from collections import Counter
from pathlib import Path

from demeter.core import crash_points
from demeter.core.crash_points import FIRED, STEPS, VARIABLE, step
from support.house import sources


def steps_in_code() -> Counter[str]:
    return Counter(
        node.args[0].value
        for tree in sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "step"
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def test_each_name_of_the_list_is_in_the_code_and_each_in_the_code_in_the_list() -> None:
    assert set(steps_in_code()) == set(STEPS)
    assert len(set(STEPS)) == len(STEPS)


def test_a_step_that_nobody_armed_costs_next_to_nothing() -> None:
    assert crash_points._folder is None
    seconds = min(timeit.repeat(lambda: step("child.begun"), number=10_000, repeat=5)) / 10_000
    assert seconds < 5e-6


PASS = """
import sys
from demeter.core.crash_points import step
for _ in range(3):
    step("child.begun")
    print("passed", flush=True)
"""


def passes(folder: Path) -> tuple[int, int]:
    """How a process ends that comes to a step three times, and how often it passed."""
    done = subprocess.run(
        [sys.executable, "-c", PASS],
        env=os.environ | {VARIABLE: str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.count("passed")


def test_a_process_dies_at_the_step_and_time_that_are_armed(tmp_path: Path) -> None:
    assert passes(tmp_path) == (0, 3)
    (tmp_path / "child.begun").write_text("2")
    assert passes(tmp_path) == (-signal.SIGKILL, 1)
    assert [line.split()[0] for line in (tmp_path / FIRED).open()] == ["child.begun"]
    assert passes(tmp_path) == (0, 3)  # what is started again passes


def test_the_count_goes_on_from_process_to_process(tmp_path: Path) -> None:
    (tmp_path / "child.begun").write_text("5")
    assert passes(tmp_path) == (0, 3)
    assert passes(tmp_path) == (-signal.SIGKILL, 1)
