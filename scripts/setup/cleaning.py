"""Removes what set-up and builds made; never the database, the photos or the settings."""

from __future__ import annotations

import shutil
from pathlib import Path

from assets import BUILT, FRONTEND
from console import say
from home import CHECKOUT

CACHES = (".pytest_cache", ".ruff_cache", ".hypothesis", "build", "dist")
INSTALLED = ("venv", "setup", "apt", "pip", "chromium", "postgresql")


def clean(where: Path) -> None:
    """Leave the checkout as cloned and DEMETER_HOME with its data alone.

    An unpacked PostgreSQL goes, too: the next set-up brings it back, and the cluster that it
    ran is untouched.
    """
    link = CHECKOUT / ".venv"
    if link.is_symlink():
        link.unlink()
    for made in (*(CHECKOUT / name for name in CACHES), BUILT, FRONTEND / "node_modules"):
        _remove(made)
    for made in INSTALLED:
        _remove(where / made)
    for cache in CHECKOUT.rglob("__pycache__"):
        _remove(cache)


def _remove(made: Path) -> None:
    if made.exists():
        say(f"✗ {made}")
        shutil.rmtree(made)
