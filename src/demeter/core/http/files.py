"""Files that come in and go out beside JSON."""

from __future__ import annotations

from typing import Any

from fastapi import Response, UploadFile

from demeter.core.geo.unpacking import GeoFile
from demeter.core.tabular.raw import MOST_BYTES
from demeter.core.tabular.tables import TableFile

MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
# What a route for such files adds to the OpenAPI document.
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPES[kind]: {} for kind in ("xlsx", "pdf")}}
}


def uploaded_table(file: UploadFile, sheet: str | None) -> TableFile:
    """A table that was sent; ``sheet`` names one of several, blank none."""
    return TableFile(file.filename or "", file.file, sheet or None)


def uploaded_file(file: UploadFile) -> GeoFile:
    """A file that was sent, with a byte more than a file may have, at most."""
    return GeoFile((file.filename or "file").replace("\x00", ""), file.file.read(MOST_BYTES + 1))


def attachment(content: bytes, name: str, kind: str) -> Response:
    """A file to keep, called ``name.kind``; ``kind`` is a key of ``MEDIA_TYPES``."""
    return Response(
        content,
        media_type=MEDIA_TYPES[kind],
        headers={"content-disposition": f'attachment; filename="{name}.{kind}"'},
    )
