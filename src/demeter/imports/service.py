"""An import from its files to what was written of them, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.models import User
from demeter.core import db, logs
from demeter.core.crash_points import step
from demeter.core.geo.unpacking import holds_shapes
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportFile, ImportKind
from demeter.core.imports.plans import Choices, Doubt, Plan, PlannedRow, RowVerdict
from demeter.imports.errors import (
    ImportColumnsMissing,
    ImportFilesWrong,
    ImportNeedsChoice,
    ImportNotFound,
    ImportNotOpen,
)
from demeter.imports.kinds import KINDS, guess_list, require_fields
from demeter.imports.models import ImportedFile, ImportProfile, ImportRow, ImportRun, ImportStatus
from demeter.imports.profiles import find_profile

LOCK = "demeter.imports"
MOST_NAMED = 20
log = logs.get(__name__)


def start_import(
    session: Session,
    files: Files,
    by: User,
    *,
    kind_name: str | None = None,
    profile_name: str | None = None,
    with_rows: bool = True,
) -> ImportRun:
    """A preview of what files would become; nothing of them is written yet.

    The kind is that of the profile, or as named, or guessed: places of what holds shapes, else
    from the columns. Whoever carries
    it out at once needs no rows before.

    Raises:
        ImportFilesWrong, ImportKindUnknown, ImportProfileNotFound: nothing can be previewed.
        NotAllowed: the person may not write what the files are about.
    """
    if not (kind_name or profile_name) and _all_shapes(files):
        kind_name = "places"
    if not files or (kind_name != "places" and len(files) > 1):
        raise ImportFilesWrong(f"{len(files)} files were sent")
    if profile_name in KINDS:  # each kind is a profile that is always there
        kind_name, profile_name = profile_name, None
    profile = find_profile(session, profile_name, kind_name)
    name = profile.kind if profile else kind_name
    kind = KINDS[name] if name else guess_list(files)
    identity.require(kind.permission)
    sources = kind.sources(files)
    mapping = _fitted(profile, kind.guess(sources)) if profile else kind.guess(sources)
    run = ImportRun(
        kind=kind.name,
        status=ImportStatus.PREVIEWED,
        mapping=[asdict(item) for item in mapping],
        choices=choices_json(Choices()),
        warnings=[],
        journal=[],
        profile_id=profile.id if profile else None,
        user_id=by.id,
    )
    session.add(run)
    session.flush()
    for file in files:
        digest = sha256(file.content).hexdigest()
        row = ImportedFile(
            import_run_id=run.id, name=file.name, sha256=digest, content=file.content
        )
        session.add(row)
    session.flush()
    if with_rows:
        preview_rows(session, run)
    return run


def _all_shapes(files: Files) -> bool:
    return bool(files) and all(holds_shapes(file.name, file.content) for file in files)


def find_import(session: Session, import_id: int, *, lock: bool = False) -> ImportRun:
    """An import by its number.

    Raises:
        ImportNotFound: there is none.
    """
    query = select(ImportRun).where(ImportRun.id == import_id)
    run = session.scalar(query.with_for_update() if lock else query)
    if run is None:
        raise ImportNotFound(f"there is no import {import_id}", import_id=import_id)
    return run


def change_preview(
    session: Session,
    run: ImportRun,
    *,
    mapping: Sequence[SourceMapping] | None = None,
    choices: Choices | None = None,
) -> None:
    """Other columns, or other decisions; the verdicts are made anew.

    Raises:
        ImportNotOpen: it was carried out or cancelled.
        ImportColumnsMissing: nothing could be read by these columns.
    """
    _require_open(run)
    identity.require(KINDS[run.kind].permission)
    if mapping is not None:
        if not mapping:
            raise ImportColumnsMissing("no layer or table is named", missing=[])
        require_fields(KINDS[run.kind], mapping)
        run.mapping = [asdict(item) for item in mapping]
    if choices is not None:
        run.choices = choices_json(choices)
    preview_rows(session, run)


def preview_rows(session: Session, run: ImportRun) -> Plan:
    """The verdicts as of now, stored with the import."""
    plan = _plan(session, run)
    _store(session, run, plan)
    return plan


def apply_import(
    session: Session,
    run: ImportRun,
    by: User,
    *,
    accept: Sequence[Doubt] = (),
    leave_undecided: bool = False,
) -> None:
    """Write what is to be written, all of it or nothing. Again, it changes nothing.

    Raises:
        ImportNeedsChoice: rows wait for a person's word, and may not be left.
        ImportNotOpen: it was taken back or cancelled.
    """
    identity.require(KINDS[run.kind].permission)
    if run.status == ImportStatus.APPLIED:
        return
    _require_open(run)
    db.lock_key(session, LOCK, "apply")
    choices = choices_of(run)
    choices = Choices(choices.accepted | frozenset(accept), choices.by_row)
    run.choices = choices_json(choices)
    kind = KINDS[run.kind]
    require_fields(kind, mapping_of(run))
    plan = _plan(session, run)
    undecided = [row for row in plan.rows if row.is_undecided]
    if undecided and not leave_undecided:
        refs = [row.ref for row in undecided]
        raise ImportNeedsChoice(
            f"{len(refs)} rows wait for a decision: {', '.join(refs[:MOST_NAMED])}",
            rows=len(refs),
            refs=refs[:MOST_NAMED],
        )
    step("import.planned")
    journal = Journal()
    kind.write(session, plan, journal)
    session.flush()
    step("import.rows_written")
    run.journal = [asdict(entry) for entry in journal.close()]
    run.status = ImportStatus.APPLIED
    run.applied_at = datetime.now(UTC)
    run.applied_by_user_id = by.id
    _store(session, run, plan, is_applied=True)
    step("import.before_commit")
    log.info("import_applied", import_id=run.id, kind=run.kind, rows=len(plan.rows))


def cancel_import(session: Session, run: ImportRun) -> None:
    """Let a preview go; its files are forgotten.

    Raises:
        ImportNotOpen: it was carried out.
    """
    if run.status == ImportStatus.CANCELLED:
        return
    _require_open(run)
    run.status = ImportStatus.CANCELLED
    session.execute(delete(ImportedFile).where(ImportedFile.import_run_id == run.id))
    session.flush()


def files_of(session: Session, run: ImportRun) -> Files:
    """The files as they were sent."""
    rows = session.scalars(
        select(ImportedFile).where(ImportedFile.import_run_id == run.id).order_by(ImportedFile.id)
    )
    return [ImportFile(row.name, row.content) for row in rows]


def kind_of(run: ImportRun) -> ImportKind:
    """What an import is of."""
    return KINDS[run.kind]


def mapping_of(run: ImportRun) -> list[SourceMapping]:
    """How its files are read."""
    return [SourceMapping(**item) for item in run.mapping]


def choices_of(run: ImportRun) -> Choices:
    """What was decided about its rows."""
    accepted = frozenset(Doubt(word) for word in run.choices.get("accept", ()))
    return Choices(accepted, run.choices.get("rows", {}))


def choices_json(choices: Choices) -> dict[str, Any]:
    """Decisions as they are stored."""
    return {"accept": sorted(choices.accepted), "rows": dict(choices.by_row)}


def _fitted(profile: ImportProfile, guess: Sequence[SourceMapping]) -> list[SourceMapping]:
    """A profile's columns on this file's layers: by name; a single table whatever it is called."""
    saved = [SourceMapping(**item) for item in profile.mapping]
    by_name = {item.name.casefold(): item for item in saved}
    if len(saved) == len(guess) == 1:
        return [SourceMapping(guess[0].name, *_read_by(saved[0]))]
    return [
        SourceMapping(item.name, *_read_by(by_name.get(item.name.casefold(), item)))
        for item in guess
    ]


def _read_by(mapping: SourceMapping) -> tuple[str | None, int | None, Any]:
    return mapping.level, mapping.heading_row, mapping.columns


def _require_open(run: ImportRun) -> None:
    if run.status != ImportStatus.PREVIEWED:
        raise ImportNotOpen(f"import {run.id} is {run.status}", import_id=run.id, status=run.status)


def _plan(session: Session, run: ImportRun) -> Plan:
    kind = KINDS[run.kind]
    return kind.plan(session, files_of(session, run), mapping_of(run), choices_of(run))


def _store(session: Session, run: ImportRun, plan: Plan, *, is_applied: bool = False) -> None:
    kind = KINDS[run.kind]
    run.title = plan.title
    run.warnings = [notice.to_json() for notice in plan.warnings]
    if not is_applied or run.outline is None:
        run.outline = kind.outline(plan) if kind.outline else None
    session.execute(delete(ImportRow).where(ImportRow.import_run_id == run.id))
    rows = [_row(run, n, row, is_applied=is_applied) for n, row in enumerate(plan.rows, start=1)]
    if rows:
        session.execute(insert(ImportRow), rows)
    session.flush()
    session.refresh(run)


def _row(run: ImportRun, position: int, row: PlannedRow, *, is_applied: bool) -> dict[str, Any]:
    return {
        "import_run_id": run.id,
        "position": position,
        "ref": row.ref,
        "source": row.source,
        "row_number": row.row,
        "subject": row.subject,
        "code": row.code,
        "name": row.name,
        "verdict": row.verdict.value,
        "outcome": _outcome(row) if is_applied else None,
        "needs_choice": row.is_undecided,
        "detail": {
            "notices": [notice.to_json() for notice in row.notices],
            "doubts": sorted(row.doubts),
            "options": list(row.options),
            "chosen": row.chosen,
            "values": dict(row.values),
            "before": dict(row.before),
        },
    }


def _outcome(row: PlannedRow) -> str:
    if row.verdict is RowVerdict.REFUSED:
        return "refused"
    if row.joins is not None:
        return "joined"
    if row.verdict is RowVerdict.SAME:
        return "same"
    if not row.is_written:
        return "left"
    return "created" if row.verdict is RowVerdict.NEW else "changed"
