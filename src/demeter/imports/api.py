"""Imports over HTTP: files in, a preview, decisions, carried out, taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.commands import run_once
from demeter.core.http.etags import etag_of, require_match
from demeter.core.http.files import MEDIA_TYPES, attachment, uploaded_file
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.imports.plans import RowVerdict
from demeter.core.permissions import Permission
from demeter.imports import profiles, queries, reports, service, undoing
from demeter.imports.models import ImportStatus
from demeter.imports.schemas import (
    ImportApply,
    ImportPage,
    ImportRead,
    ImportRowPage,
    ImportUpdate,
    KindName,
    ProfileCreate,
    ProfileRead,
    SourceRead,
)

router = APIRouter(
    prefix="/api/v1",
    tags=["imports"],
    responses=PROBLEMS | {409: PROBLEM},
    route_class=FileRoute,
)

MOST_FILES = 20
ImportId = Annotated[int, Path(ge=1, lt=2**53)]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=40)]
ProfileName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
AS_REPORT: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPES[kind]: {} for kind in ("xlsx", "csv")}}
}

AS_SHEET: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPES["xlsx"]: {}}}}


class ImportUpload(BaseModel):
    """Files to import; `auto` guesses the kind of a list by its columns."""

    files: list[UploadFile] = Field(min_length=1, max_length=MOST_FILES)
    kind: KindName | Literal["auto"] = "auto"
    profile: Annotated[str | None, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")] = (
        None
    )


@router.get("/imports", summary="Imports, last first", **requires(Permission.SEE))
def list_imports(
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: KindName | None = None,
    status: ImportStatus | None = None,
) -> ImportPage:
    """A page at a time; `next_cursor` leads on."""
    with transaction() as session:
        return queries.imports(session, limit=limit, cursor=cursor, kind=kind, status=status)


@router.post(
    "/imports",
    status_code=201,
    summary="Send files and see what they would become",
    **requires(Permission.DECIDE, openapi=takes(Files.TABLE)),
)
def start_import(form: Annotated[ImportUpload, File()], once: OnceOnly) -> ImportRead:
    """Nothing of them is written before the import is applied."""
    files = [uploaded_file(file) for file in form.files]
    kind = None if form.kind == "auto" else form.kind

    def start(session: Session) -> ImportRead:
        run = service.start_import(
            session, files, acting_user(session), kind_name=kind, profile_name=form.profile
        )
        return queries.import_read(session, run)

    digests = [service.sha256(file.content).hexdigest() for file in files]
    return run_once(once, [digests, form.kind, form.profile], start)


@router.get("/imports/{import_id}", summary="One import", **requires(Permission.SEE))
def get_import(import_id: ImportId, response: Response) -> ImportRead:
    """The `ETag` goes back as `If-Match` with a change."""
    with transaction() as session:
        read = queries.import_read(session, service.find_import(session, import_id))
        response.headers["etag"] = etag_of(read)
        return read


@router.get("/imports/{import_id}/rows", summary="Its rows", **requires(Permission.SEE))
def list_rows(
    import_id: ImportId,
    limit: Limit = 100,
    cursor: Cursor = None,
    verdict: RowVerdict | None = None,
    needs_choice: bool | None = None,
) -> ImportRowPage:
    """In the order of the files, a page at a time."""
    with transaction() as session:
        run = service.find_import(session, import_id)
        return queries.import_rows(
            session,
            run,
            limit=limit,
            cursor=cursor,
            verdict=verdict,
            needs_choice=needs_choice,
        )


@router.get(
    "/imports/{import_id}/sources", summary="Layers and columns", **requires(Permission.SEE)
)
def list_sources(import_id: ImportId) -> list[SourceRead]:
    """What there is in the files, with examples, to say which column is which."""
    with transaction() as session:
        return queries.sources(session, service.find_import(session, import_id))


@router.patch(
    "/imports/{import_id}",
    summary="Other columns or decisions",
    responses={412: PROBLEM},
    **requires(Permission.DECIDE),
)
def update_import(
    import_id: ImportId, body: ImportUpdate, response: Response, if_match: IfMatch = None
) -> ImportRead:
    """The verdicts are made anew; `choices` stand in place of the earlier ones."""
    with transaction() as session:
        run = service.find_import(session, import_id, lock=True)
        require_match(queries.import_read(session, run), if_match, f"import {import_id}")
        service.change_preview(
            session,
            run,
            mapping=None if body.mapping is None else [m.as_value() for m in body.mapping],
            choices=None if body.choices is None else body.choices.as_value(),
        )
        read = queries.import_read(session, run)
        response.headers["etag"] = etag_of(read)
        return read


@router.post("/imports/{import_id}/apply", summary="Carry it out", **requires(Permission.DECIDE))
def apply_import(import_id: ImportId, body: ImportApply, once: OnceOnly) -> ImportRead:
    """All of it or nothing; an import that was carried out changes nothing again."""

    def act(session: Session) -> ImportRead:
        run = service.find_import(session, import_id, lock=True)
        service.apply_import(
            session,
            run,
            acting_user(session),
            accept=body.accept,
            leave_undecided=body.leave_undecided,
        )
        return queries.import_read(session, run)

    return run_once(once, [import_id, body], act)


@router.post("/imports/{import_id}/undo", summary="Take it back", **requires(Permission.DECIDE))
def undo_import(import_id: ImportId, once: OnceOnly) -> ImportRead:
    """As long as nothing rests on what it wrote."""

    def act(session: Session) -> ImportRead:
        run = service.find_import(session, import_id, lock=True)
        undoing.undo_import(session, run, acting_user(session))
        return queries.import_read(session, run)

    return run_once(once, [import_id], act)


@router.post("/imports/{import_id}/cancel", summary="Let it go", **requires(Permission.DECIDE))
def cancel_import(import_id: ImportId, once: OnceOnly) -> ImportRead:
    """Its files are forgotten."""

    def act(session: Session) -> ImportRead:
        run = service.find_import(session, import_id, lock=True)
        service.cancel_import(session, run)
        return queries.import_read(session, run)

    return run_once(once, [import_id], act)


@router.get(
    "/imports/{import_id}/report.{kind}",
    response_class=Response,
    responses=AS_REPORT,
    summary="Every row, and what became of it",
    **requires(Permission.SEE),
)
def get_report(
    import_id: ImportId, kind: Literal["xlsx", "csv"], language: Literal["en", "es"] = "es"
) -> Response:
    """A table to keep."""
    with transaction() as session:
        rows = queries.all_rows(session, service.find_import(session, import_id))
    write = reports.as_xlsx if kind == "xlsx" else reports.as_csv
    return attachment(write(rows, language), f"import-{import_id}", kind)


@router.get(
    "/imports/{import_id}/count-sheet.xlsx",
    response_class=Response,
    responses=AS_SHEET,
    summary="The filled count sheet of a list of seedling trays",
    **requires(Permission.SEE),
)
def get_count_sheet(import_id: ImportId) -> Response:
    """For a supervisor to look through and post, as any count sheet."""
    with transaction() as session:
        lines = queries.count_sheet_rows(session, service.find_import(session, import_id))
    return attachment(reports.count_sheet(lines), f"count-sheet-{import_id}", "xlsx")


@router.get("/import-profiles", summary="Remembered columns", **requires(Permission.SEE))
def list_profiles() -> list[ProfileRead]:
    """By name."""
    with transaction() as session:
        return queries.profiles(session)


@router.post(
    "/import-profiles",
    status_code=201,
    summary="Remember an import's columns",
    **requires(Permission.DECIDE),
)
def save_profile(body: ProfileCreate, once: OnceOnly) -> ProfileRead:
    """A profile of the same name is replaced."""

    def act(session: Session) -> ProfileRead:
        run = service.find_import(session, body.import_id, lock=True)
        return queries.profile_read(profiles.save_profile(session, body.name, run))

    return run_once(once, body, act)


@router.delete("/import-profiles/{name}", summary="Forget a profile", **requires(Permission.DECIDE))
def delete_profile(name: ProfileName) -> ProfileRead:
    """Imports that used it keep their columns."""
    with transaction() as session:
        return queries.profile_read(profiles.delete_profile(session, name))
