"""Set-up: the lock files hold what is asked for, and what cannot go on says so in one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[1]
SETUP = CHECKOUT / "scripts" / "setup"
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-assets.lock")


def locked(name: str) -> dict[str, str]:
    """Version by name of the packages that a lock file has for this Python."""
    lines = (CHECKOUT / name).read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    mine = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in mine}


def asked_for(group: str | None) -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    lines = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("lock", "group"),
    [
        ("requirements.lock", None),
        ("requirements.lock", "build"),
        ("requirements-dev.lock", "dev"),
        ("requirements-assets.lock", "assets"),
    ],
)
def test_the_lock_holds_what_pyproject_asks_for(lock: str, group: str | None) -> None:
    pinned = locked(lock)
    short = [
        str(wanted)
        for wanted in asked_for(group)
        if wanted.name not in pinned or not wanted.specifier.contains(pinned[wanted.name])
    ]
    assert short == [], f"run `make lock`: {lock} does not hold these"


def test_what_the_tools_share_with_demeter_is_pinned_alike() -> None:
    ours, tools = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: tools[name] for name in ours.keys() & tools.keys()} == {
        name: ours[name] for name in ours.keys() & tools.keys()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_file_has_a_hash_and_no_address(lock: str) -> None:
    text = (CHECKOUT / lock).read_text()
    assert "://" not in text
    assert "index" not in re.sub(r"^[a-z0-9].*$", "", text, flags=re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def set_up(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SETUP), *arguments],
        env={**os.environ, "DEMETER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_home_that_cannot_be_made_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said = set_up(tmp_path / "file" / "home")
    assert said.returncode == 1
    assert said.stderr == ""
    assert len(said.stdout.splitlines()) == 1
    assert "set DEMETER_HOME" in said.stdout


def in_set_up(program: str) -> str:
    """What a program prints that imports set-up's own modules."""
    asked = [sys.executable, "-c", program]
    return subprocess.run(asked, cwd=SETUP, capture_output=True, text=True, check=True).stdout


def test_a_step_is_done_again_only_when_its_inputs_change(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
import home
where = Path({str(tmp_path)!r})
(where / "setup").mkdir()
print(home.is_done(where, "pages", "a"))
home.note_done(where, "pages", "a")
print(home.is_done(where, "pages", "a"), home.is_done(where, "pages", "b"))
home.forget(where, "pages")
print(home.is_done(where, "pages", "a"))
"""
    assert in_set_up(program).split() == ["False", "True", "False", "False"]


def test_a_command_that_fails_ends_set_up_with_its_last_words(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from console import SetupError, run
try:
    run(["sh", "-c", "echo the mirror is closed; exit 3"], log=Path({str(tmp_path)!r}) / "log",
        mend="Open the mirror.")
except SetupError as error:
    print(error)
"""
    said = in_set_up(program)
    assert "the mirror is closed" in said
    assert "Open the mirror." in said
    assert "the mirror is closed" in (tmp_path / "log").read_text()


@pytest.mark.skipif(not shutil.which("apt-cache"), reason="no apt: this system has no packages")
def test_unpacking_takes_what_is_missing_and_leaves_out_what_is_unwanted() -> None:
    program = """
import re, apt, debs
if apt.candidate("libgdal32"):
    everything = debs.closure(["libgdal32"], re.compile("nothing"))
    without = debs.closure(["libgdal32"], re.compile("lib.*|gdal.*"))
    print(len(everything), without)
else:
    print("no lists")
"""
    said = in_set_up(program)
    if said.strip() == "no lists":
        pytest.skip("apt has no package lists here")
    assert said.split(maxsplit=1)[1].strip() == "['libgdal32']"
