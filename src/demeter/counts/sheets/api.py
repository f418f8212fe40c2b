"""Count sheets over HTTP: take one, fill it, see its differences, post it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.fields import Code, SheetName
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.commands import post_with_preview, run_once
from demeter.core.http.files import AS_FILE, attachment, uploaded_table
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts.sheets import posting, template
from demeter.counts.sheets.posting import SheetLine

router = APIRouter(
    prefix="/api/v1/stock/count-sheets",
    tags=["counts"],
    responses=PROBLEMS | {409: PROBLEM},
    route_class=FileRoute,
)


class SheetUpload(BaseModel):
    """A filled sheet, under a key of its own, and who filled it."""

    file: UploadFile
    movement_id: UUID
    user: Code | None = None
    sheet: SheetName | None = None


@router.get(
    "/{place_code}.{kind}",
    response_class=Response,
    responses=AS_FILE,
    summary="A count sheet of a greenhouse, an area or a location",
    **requires(Permission.SEE),
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
    is_paper = kind == "pdf"
    content = (
        template.as_pdf(rows, place_code, language)
        if is_paper
        else template.as_xlsx(rows, language)
    )
    return attachment(content, "count-sheet", kind)


@post_with_preview(
    router,
    "",
    summary="Post a filled sheet",
    preview="The differences of a filled sheet",
    permission=Permission.REPORT,
    openapi=takes(Files.TABLE),
)
def post_sheet(form: Annotated[SheetUpload, File()], once: OnceOnly) -> list[SheetLine]:
    """All of its locations or, where a cell is wrong, none.

    `movement_id` is the sheet's own key: the same sheet again has the same answer.
    """
    table_file = uploaded_table(form.file, form.sheet)

    def post(session: Session) -> list[SheetLine]:
        user = acting_user(session, form.user)
        return posting.post(session, table_file, form.movement_id, user)

    body = [table_file.sha256(), form.movement_id, form.user]
    return run_once(once, [*body, form.sheet] if form.sheet else body, post)
