"""What a phone keeps to open counting without a connection: a page for nobody, and scripts."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.responses import HTMLResponse

from demeter.core.settings import settings
from demeter.web import assets, render
from demeter.web.language import LANGUAGES

router = APIRouter()

KEPT = ("page.js", "count.js", "page.css")


@router.get("/count/shell/{language}")
def show_shell(language: Annotated[str, Path(pattern="^(es|en)$")]) -> Response:
    """The page of counting without a person in it, which the service worker keeps."""
    return HTMLResponse(_shell(language), headers={"cache-control": "no-cache"})


@router.get("/sw.js")
def serve_worker() -> Response:
    """The service worker, with what it is to keep; other content makes another worker."""
    name = assets.manifest().get("sw.js")
    script = (assets.STATIC / "dist" / name).read_text() if name else ""
    shells = {language: f"/count/shell/{language}" for language in LANGUAGES}
    files = [url for url in (assets.url(kept) for kept in KEPT) if url] + ["/static/icon.svg"]
    written = "".join(_shell(language) for language in LANGUAGES) + script + "".join(files)
    version = hashlib.sha256(written.encode()).hexdigest()[:16]
    kept = json.dumps({"version": version, "files": files, "shells": shells})
    return Response(
        f"const DEMETER={kept};\n{script}",
        media_type="text/javascript",
        headers={"cache-control": "no-cache"},
    )


def _shell(language: str) -> str:
    return render.shell(
        language, "/count", "count/page.html", locations=[], max_photos=settings().max_photos
    )
