"""Set-up: the lock files hold what is asked for, and what cannot go on says so in one line."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

CHECKOUT = Path(__file__).parents[1]
SETUP = CHECKOUT / "scripts" / "setup"
OURS = {"demeter", "demeter_training"} | {
    path.stem
    for folder in ("tests", "scripts")
    for path in (CHECKOUT / folder).rglob("*")
    if path.suffix == ".py" or path.is_dir()
}
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-assets.lock")


def locked(name: str) -> dict[str, str]:
    """Version by name of the packages that a lock file has for this Python."""
    lines = (CHECKOUT / name).read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    mine = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in mine}


def asked_for(group: str | None) -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    lines = (
        project["project"]["dependencies"]
        if group is None
        else project["dependency-groups"].get(group)
        or project["project"]["optional-dependencies"][group]
    )
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


IMPORTED = (("src", "migrations"), (None, "train")), (("tests",), (None, "train", "dev"))
OTHERWISE_CALLED = {"google": "protobuf"}  # where the package is not installed here


def imports(folder: str) -> set[str]:
    """Top-level names of all that the Python files of a folder import."""
    names: set[str] = set()
    for file in (CHECKOUT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(("folders", "groups"), IMPORTED)
def test_every_package_that_is_imported_is_asked_for(
    folders: tuple[str, ...], groups: tuple[str | None, ...]
) -> None:
    """What comes along with another package today may stay away tomorrow."""
    declared = {canonical(wanted.name) for group in groups for wanted in asked_for(group)}
    installed = packages_distributions()
    foreign = set[str]().union(*map(imports, folders)) - set(sys.stdlib_module_names) - OURS
    missing = {
        name
        for name in foreign
        if not declared
        & {canonical(d) for d in installed.get(name, [OTHERWISE_CALLED.get(name, name)])}
    }
    assert missing == set()


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


def test_only_developers_fetch_what_checks_the_pages_scripts(tmp_path: Path) -> None:
    program = f"""
from contextlib import nullcontext
from pathlib import Path
import assets
where = Path({str(tmp_path)!r})
(where / "setup").mkdir()
assets.BUILT, assets.TOOL = where / "dist", where / "typescript"
assets.npm_command = lambda _: [Path("npm")]
assets.step = lambda _: nullcontext()
assets.run = lambda words, **_: print(*words[1:])

def build(dev):
    print(f"{{dev}}:")
    assets.build(where, dev=dev)

build(False)
assets.BUILT.mkdir()
build(False)
build(True)
assets.TOOL.mkdir()
build(True)
build(False)
"""
    assert in_set_up(program).splitlines() == [
        "False:",
        "ci --no-audit --no-fund",
        "run build",
        "False:",
        "True:",
        "ci --no-audit --no-fund --include=dev",
        "run build",
        "True:",
        "False:",
    ]


def test_no_lock_of_the_pages_names_a_registry() -> None:
    assert '"resolved"' not in (CHECKOUT / "frontend" / "package-lock.json").read_text()


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


@pytest.mark.long
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
