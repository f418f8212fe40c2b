"""Finds a Python that is new enough, and goes on in it."""

from __future__ import annotations

import os
import shutil
import sys

from console import SetupError

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def ensure_supported() -> None:
    """Return in a Python that is new enough, starting again in another one where needed."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    running = ".".join(map(str, sys.version_info[:2]))
    raise SetupError(f"Python 3.11 or later is needed and this is {running}: install python3.11.")
