"""Scripts and styles as built from frontend/: named by content, kept by browsers for ever."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from demeter.core import logs

log = logs.get(__name__)

STATIC = Path(__file__).parent / "static"


class _Files(StaticFiles):
    """Built files have their hash in their name, so they never change."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        """As Starlette's own, with a word about caching."""
        response = super().file_response(full_path, *args, **kwargs)
        built = Path(full_path).parent.name == "dist"
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if built else "no-cache"
        )
        return response


def files() -> StaticFiles:
    """What is served under /static."""
    return _Files(directory=STATIC)


def url(name: str) -> str | None:
    """Where a built file is, by its plain name (``page.js``); ``None`` where nothing is built."""
    built_name = manifest().get(name)
    if built_name is None:
        log.error("assets_not_built", asset=name, mend="run `make setup`")
        return None
    return f"/static/dist/{built_name}"


def manifest() -> dict[str, str]:
    """Plain names to names with hashes, as the last build wrote them."""
    path = STATIC / "dist" / "manifest.json"
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=1)
def _read(path: Path, _changed_ns: int) -> dict[str, str]:
    return json.loads(path.read_text())
