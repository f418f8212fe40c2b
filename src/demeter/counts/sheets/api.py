"""Count sheets over HTTP: take one, fill it, see its differences, post it."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response, UploadFile

from demeter.accounts.models import find_user
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.fields import Code
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import KEYED, REPORTS, SEES
from demeter.counts.sheets import posting, template
from demeter.counts.sheets.posting import SheetLine
from demeter.stock.changes import preview

router = APIRouter(
    prefix="/api/v1/stock/count-sheets",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM},
)

MOST_BYTES = 20_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get(
    "/{place_code}.{kind}",
    response_class=Response,
    responses={200: {"content": {XLSX: {}, "application/pdf": {}}}},
    summary="A count sheet of a greenhouse, an area or a location",
    openapi_extra=SEES,
)
def get_sheet(
    place_code: Code,
    kind: Literal["xlsx", "pdf"],
    by: Annotated[Literal["location", "bin"], Query(description="one row for each")] = "location",
    language: Literal["en", "es"] = "es",
) -> Response:
    """A workbook to fill, or a page to print."""
    with transaction() as session:
        rows = template.rows_of(session, place_code, by_bin=by == "bin")
    made = template.as_xlsx(rows) if kind == "xlsx" else template.as_pdf(rows, place_code, language)
    return Response(
        made,
        media_type=XLSX if kind == "xlsx" else "application/pdf",
        headers={"content-disposition": f'attachment; filename="count-sheet.{kind}"'},
    )


@router.post(
    "/preview",
    summary="The differences of a filled sheet",
    openapi_extra=REPORTS,
    dependencies=KEYED,
)
def preview_sheet(
    file: UploadFile,
    movement_id: Annotated[UUID, Form()],
    user: Annotated[Code | None, Form()] = None,
) -> list[SheetLine]:
    """The same answer as posting it, and nothing is kept."""
    content = _content(file)
    with transaction() as session:
        who = find_user(session, user)
        return preview(session, lambda: posting.post(session, content, movement_id, who))


@router.post("", summary="Post a filled sheet", openapi_extra=REPORTS)
def post_sheet(
    file: UploadFile,
    movement_id: Annotated[UUID, Form()],
    once: OnceOnly,
    user: Annotated[Code | None, Form()] = None,
) -> list[SheetLine]:
    """All of its locations or, where a cell is wrong, none.

    `movement_id` is the sheet's own key: the same sheet again has the same answer.
    """
    content = _content(file)
    with transaction() as session:
        who = find_user(session, user)
        asked = [sha256(content).hexdigest(), movement_id, user]
        return once.answer(session, asked, lambda: posting.post(session, content, movement_id, who))


def _content(file: UploadFile) -> bytes:
    content = file.file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"the file is larger than {MOST_BYTES} bytes", field="file")
    return content
