"""Chromium, for the tests of pages."""

from __future__ import annotations

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
    """Unpack Chromium unless the system has one; without it tests of pages are skipped.

    It is unpacked for root, too: that is quicker than installing it, and tests leave the system
    as it was.
    """
    if any(shutil.which(name) for name in BROWSERS) or (where / "chromium").exists():
        return
    if not apt.is_here():
        say("    No Chromium here: tests of pages will be skipped. Install chromium to run them.")
        return
    with step(f"Chromium for tests of pages, unpacked into {where / 'chromium'}"):
        options = debs.lists(where, "chromium")
        packages = debs.closure(["chromium", "fonts-dejavu-core"], UNWANTED, options)
        debs.unpack(where, packages, where / "chromium", options)
        launcher = where / "chromium" / "chromium"
        launcher.write_text(LAUNCHER)
        launcher.chmod(0o755)
