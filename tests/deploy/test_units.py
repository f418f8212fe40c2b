"""The units of systemd: understood by it, hardened, and of commands and settings that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demeter.core import jobs
from demeter.core.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MOST_EXPOSED = 3.0  # of 10, as systemd-analyze counts


def systemd_analyze(*arguments: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here: Debian's package `systemd` has it")
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they would lie on a machine whose programs are this environment's."""
    programs = Path(sys.executable).parent
    for unit in UNITS:
        text = unit.read_text().replace("/opt/demeter/bin", str(programs))
        (tmp_path / unit.name).write_text(text)
    for queue in jobs.QUEUES:
        (tmp_path / f"demeter-worker@{queue}.service").symlink_to("demeter-worker@.service")
    return tmp_path


def test_systemd_understands_them(installed: Path):
    names = [str(installed / unit.name) for unit in UNITS if "@" not in unit.name]
    said = systemd_analyze(
        "verify", "--man=no", *names, str(installed / "demeter-worker@gpu.service")
    )
    assert [line for line in said.splitlines() if str(installed) in line] == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_little_is_left_open(installed: Path, unit: Path):
    name = unit.name.replace("@.", "@gpu.")
    said = systemd_analyze("security", "--offline=true", str(installed / name))
    exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])
    assert exposure <= MOST_EXPOSED, said


def test_every_queue_has_a_worker():
    target = (DEPLOY / "systemd" / "demeter.target").read_text()
    assert sorted(re.findall(r"demeter-worker@(\w+)\.service", target)) == sorted(jobs.QUEUES)


def test_a_second_worker_of_a_queue_works_on_that_queue():
    unit = (DEPLOY / "systemd" / "demeter-worker@.service").read_text()
    script = re.search(r"ExecStart=/bin/sh -c '(.*)' %i", unit)[1]
    script = script.replace("%%", "%").replace("$$", "$")
    script = script.replace("exec /opt/demeter/bin/demeter", "echo")
    for instance in ("gpu", "gpu:2"):
        answer = subprocess.run(
            ["/bin/sh", "-c", script, instance], capture_output=True, check=True
        )
        assert answer.stdout == b"worker --queue gpu\n"


def test_settings_that_are_named_are_there():
    named = set(
        re.findall(r"^#?(DEMETER_[A-Z_]+)=", (DEPLOY / "demeter.env").read_text(), re.MULTILINE)
    )
    known = {f"DEMETER_{name.upper()}" for name in Settings.model_fields}
    assert named
    assert named <= known
