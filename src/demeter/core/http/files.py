"""Files that come in and go out beside JSON."""

from __future__ import annotations

from typing import Any

from fastapi import Response, UploadFile

from demeter.core.errors import InvalidInput

MAX_BYTES = 20_000_000
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
# What a route for such files adds to the OpenAPI document.
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}
}


def read_upload(file: UploadFile) -> bytes:
    """The content of a file that was sent.

    Raises:
        InvalidInput: it is larger than ``MAX_BYTES``.
    """
    content = file.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InvalidInput(f"the file is larger than {MAX_BYTES} bytes", field="file")
    return content


def attachment(content: bytes, name: str, kind: str) -> Response:
    """A file to keep, called ``name.kind``; ``kind`` is a key of ``MEDIA_TYPES``."""
    return Response(
        content,
        media_type=MEDIA_TYPES[kind],
        headers={"content-disposition": f'attachment; filename="{name}.{kind}"'},
    )
