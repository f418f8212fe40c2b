"""Pages for people: rendered here, with small islands of script where a photo needs them."""

from __future__ import annotations

from importlib.metadata import version as _installed


def version() -> str:
    """Of the installed Demeter."""
    return _installed("demeter")
