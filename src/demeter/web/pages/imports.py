"""Imports on pages: files, columns, what will happen, and what happened; without scripts too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from demeter.accounts import identity
from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.bodies import FileRoute, Files, takes
from demeter.core.http.files import uploaded_file
from demeter.core.http.permissions import requires
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.kinds import ImportKind
from demeter.core.imports.plans import ACCEPTED_AT_ONCE, LEAVE, TAKE, Choices
from demeter.core.permissions import ROLES, Permission
from demeter.imports import profiles, queries, service, undoing
from demeter.imports.kinds import KINDS
from demeter.imports.models import ImportRun
from demeter.imports.schemas import ImportRowRead, KindName
from demeter.web import import_maps, render
from demeter.web.registers import Typed

router = APIRouter(prefix="/imports", route_class=FileRoute)

SHOWN = 7
MOST_SHOWN = 200
ImportId = Annotated[int, Path(ge=1, lt=2**53)]
VIEWS = ("new", "changed", "choice", "refused", "same", "left")
View = Annotated[str, Query(max_length=20)]


@router.get("", **requires(Permission.SEE))
def show_imports(request: Request, kind: KindName | None = None) -> Response:
    """The latest imports, and the form for another."""
    return _list(request, kind)


@router.post("", **requires(Permission.DECIDE, openapi=takes(Files.TABLE)))
def start_import(
    request: Request,
    files: Annotated[list[UploadFile], File(max_length=20)],
    kind: Annotated[str, Form(max_length=20)] = "",
    profile: Annotated[str, Form(max_length=100)] = "",
    form_token: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Files in: the preview is the next page. ``form_token`` is looked at before they are read."""
    del form_token
    sent = [uploaded_file(file) for file in files if file.filename]
    try:
        with transaction() as session:
            run = service.start_import(
                session,
                sent,
                acting_user(session),
                kind_name=kind if kind in KINDS else None,
                profile_name=profile.replace("\x00", "") or None,
            )
            path = f"/imports/{run.id}"
    except DomainError as error:
        return _list(request, kind or None, problem=error.problem())
    return RedirectResponse(path, status_code=303)


@router.get("/{import_id}", **requires(Permission.SEE))
def show_import(
    request: Request, import_id: ImportId, show: View = "", more: bool = False
) -> Response:
    """Its verdicts and rows, a map of places, its columns."""
    return _page(request, import_id, show=show, more=more)


@router.get("/{import_id}/columns", **requires(Permission.SEE))
def show_columns(request: Request, import_id: ImportId) -> Response:
    """Which column is which, to be changed."""
    with transaction() as session:
        run = service.find_import(session, import_id)
        sources = queries.sources(session, run)
        read = queries.import_read(session, run)
    kind = KINDS[read.kind]
    by_name = {mapping.name: mapping for mapping in read.mapping}
    return render.page(
        request, "imports/columns.html", run=read, sources=sources, kind=kind, by_name=by_name
    )


@router.post("/{import_id}/columns", **requires(Permission.DECIDE))
def change_columns(request: Request, import_id: ImportId, typed: Typed) -> Response:
    """Other columns, and the verdicts anew."""

    def act(session: Any, run: ImportRun) -> None:
        kind = KINDS[run.kind]
        mapping = [
            _typed_mapping(kind, source.name, n, typed)
            for n, source in enumerate(queries.sources(session, run))
        ]
        service.change_preview(session, run, mapping=mapping)
        name = typed.get("profile", "").strip()[:100]
        if name:
            profiles.save_profile(session, name, run)

    return _carried_out(request, import_id, act)


@router.post("/{import_id}/apply", **requires(Permission.DECIDE))
async def apply_import(request: Request, import_id: ImportId) -> Response:
    """Write what is ticked; what was not shown is taken as it is proposed."""
    form = await request.form()
    ticked = {str(ref) for ref in form.getlist("take")}
    shown = {str(ref) for ref in form.getlist("shown")}
    by_row = {ref: TAKE if ref in ticked else LEAVE for ref in shown}
    by_row |= {
        name.removeprefix("row|"): str(word)
        for name, word in form.items()
        if name.startswith("row|") and isinstance(word, str)
    }

    def act(session: Any, run: ImportRun) -> None:
        service.change_preview(session, run, choices=Choices(by_row=by_row))
        service.apply_import(
            session,
            run,
            acting_user(session),
            accept=sorted(ACCEPTED_AT_ONCE),
            leave_undecided=True,
        )

    return await run_in_threadpool(_carried_out, request, import_id, act)


@router.post("/{import_id}/undo", **requires(Permission.DECIDE))
def undo_import(request: Request, import_id: ImportId) -> Response:
    """Take it back."""
    return _carried_out(
        request, import_id, lambda s, run: undoing.undo_import(s, run, acting_user(s))
    )


@router.post("/{import_id}/cancel", **requires(Permission.DECIDE))
def cancel_import(request: Request, import_id: ImportId) -> Response:
    """Let it go."""
    return _carried_out(request, import_id, service.cancel_import)


def _carried_out(
    request: Request, import_id: int, act: Callable[[Any, ImportRun], None]
) -> Response:
    try:
        with transaction() as session:
            act(session, service.find_import(session, import_id, lock=True))
    except DomainError as error:
        return _page(request, import_id, problem=error.problem())
    return RedirectResponse(f"/imports/{import_id}", status_code=303)


def _typed_mapping(
    kind: ImportKind, name: str, position: int, typed: dict[str, str]
) -> SourceMapping:
    """One layer or table as the form has it: its fields are `POSITION|FIELD`."""
    columns = {f: typed[f"{position}|{f}"] for f in kind.fields if typed.get(f"{position}|{f}")}
    level = typed.get(f"{position}|level")
    heading = typed.get(f"{position}|heading_row", "")
    return SourceMapping(
        name,
        level if level in kind.levels else None,
        int(heading) if heading.isdecimal() and len(heading) < 5 else None,  # noqa: PLR2004
        columns,
    )


def _list(request: Request, kind: str | None, problem: dict[str, Any] | None = None) -> Response:
    acting = identity.current()
    with transaction() as session:
        items = queries.imports(session, limit=20).items
        known = queries.profiles(session)
    kinds = [k for k in KINDS.values() if acting and acting.role in ROLES[k.permission]]
    return render.page(
        request,
        "imports/list.html",
        status_code=problem["status"] if problem else 200,
        imports=items,
        kinds=kinds,
        kind=kind,
        profiles=known,
        problem=problem,
    )


def _page(
    request: Request,
    import_id: ImportId,
    *,
    show: str = "",
    more: bool = False,
    problem: dict[str, Any] | None = None,
) -> Response:
    acting = identity.current()
    with transaction() as session:
        run = service.find_import(session, import_id)
        read = queries.import_read(session, run)
        rows = queries.all_rows(session, run)
        outline = run.outline or []
    view = show if show in VIEWS else _first_view(read.counts)
    chosen = _rows_of(rows, view)
    most = MOST_SHOWN if more else SHOWN
    may = acting is not None and acting.role in ROLES[KINDS[read.kind].permission]
    return render.page(
        request,
        "imports/show.html",
        status_code=problem["status"] if problem else 200,
        run=read,
        view=view,
        rows=chosen[:most],
        total=len(chosen),
        most=MOST_SHOWN,
        pairs=queries.overlap_notices(rows),
        map=import_maps.whole_map(outline) if outline else None,
        pair=import_maps.pair_map(outline, queries.overlap_notices(rows)) if outline else None,
        may=may,
        problem=problem,
    )


def _first_view(counts: Any) -> str:
    """What is looked at first: what a person decides, else what is refused, else what is new."""
    if counts.needs_choice:
        return "choice"
    for view in ("refused", "new", "changed"):
        if getattr(counts, view):
            return view
    return "same"


def _rows_of(rows: list[ImportRowRead], view: str) -> list[ImportRowRead]:
    if view == "choice":
        waiting = [row for row in rows if row.doubts and row.verdict != "refused"]
        return sorted(waiting, key=_by_size)
    if view == "left":
        return [row for row in rows if row.outcome == "left"]
    return [row for row in rows if row.verdict == view]


def _by_size(row: ImportRowRead) -> float:
    """The largest area first."""
    return -max((float(n.params.get("m2", 0)) for n in row.notices), default=0.0)
