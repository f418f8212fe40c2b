"""QR codes, drawn into the page."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(link: str) -> Markup:
    """As an SVG to stand in the page, as large as its place."""
    code = segno.make(link, error="m")
    return Markup(  # noqa: S704  drawn from the link, which is in no text of it
        code.svg_inline(scale=1, border=2, omitsize=True, svgclass=None, lineclass=None)
    )
