"""Chromium, for the tests of pages."""

from __future__ import annotations

import ctypes.util
import re
import shutil
from pathlib import Path

import apt
import debs
from console import say, step

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a browser without a screen, a desktop and a graphics card does not load.
UNWANTED = re.compile(
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


def install(where: Path) -> None:
    """Unpack what the system lacks for tests of pages; without it they are skipped.

    It is unpacked for root, too: that is quicker than installing it, and tests leave the system
    as it was.
    """
    wanted = _wanted()
    into = where / "chromium"
    done = into / "packages"
    if not wanted or (done.exists() and done.read_text().split() == wanted):
        return
    if not apt.is_here():
        say(f"    Tests of pages will be skipped or fail: install {' and '.join(wanted)} first.")
        return
    with step(f"{' and '.join(wanted)} for tests of pages, unpacked into {into}"):
        options = debs.lists(where, wanted[0])
        debs.unpack(where, debs.closure(wanted, UNWANTED, options), into, options)
        if "chromium" in wanted:
            launcher = into / "chromium"
            launcher.write_text(LAUNCHER)
            launcher.chmod(0o755)
        done.write_text("\n".join(wanted))


def _wanted() -> list[str]:
    """The packages that are missing; Playwright's own Node.js wants libatomic."""
    browser = any(shutil.which(name) for name in BROWSERS)
    atomic = ctypes.util.find_library("atomic")
    return [
        *([] if browser else ["chromium", "fonts-dejavu-core"]),
        *([] if atomic else ["libatomic1"]),
    ]
