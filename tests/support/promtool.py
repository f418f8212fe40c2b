"""Prometheus's own checker, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def promtool(*arguments: str, given: bytes | None = None) -> str:
    """What it says; a fault fails the test, and where it is missing the test is left out."""
    program = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: Debian's package `prometheus` has it, or set PROMTOOL")
    answer = subprocess.run([program, *arguments], input=given, capture_output=True, check=False)
    output = (answer.stdout + answer.stderr).decode()
    assert answer.returncode == 0, output
    return output
