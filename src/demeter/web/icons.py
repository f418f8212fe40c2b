"""Icons, drawn into the page: no request, and they take the colour of their text."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from demeter.web.assets import STATIC

BUILT = STATIC / "dist" / "icons.json"


def icon(name: str) -> Markup:
    """An icon of Lucide's by its name, which frontend/icons.json lists; hidden from readers.

    Raises:
        KeyError: it is not in the list. Where nothing is built, there is none.
    """
    if not BUILT.exists():
        return Markup()
    drawing = _drawings(BUILT, BUILT.stat().st_mtime_ns)[name]
    return Markup('<svg class="i" viewBox="0 0 24 24" aria-hidden="true">{}</svg>').format(
        Markup(drawing)  # noqa: S704  built from a package, by name
    )


@lru_cache(maxsize=1)
def _drawings(path: Path, _changed_ns: int) -> dict[str, str]:
    return json.loads(path.read_text())
