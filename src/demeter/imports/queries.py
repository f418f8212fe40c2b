"""Imports, their rows and the profiles, as they are answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.imports.plans import RowVerdict
from demeter.core.notices import Notice, read_notices
from demeter.core.pagination import last_id, next_cursor
from demeter.core.wording import english
from demeter.imports import service
from demeter.imports.errors import ImportHasNoSheet
from demeter.imports.models import ImportedFile, ImportProfile, ImportRow, ImportRun, ImportStatus
from demeter.imports.schemas import (
    ImportCounts,
    ImportPage,
    ImportRead,
    ImportReport,
    ImportRowPage,
    ImportRowRead,
    MappingRead,
    ProfileRead,
    SourceRead,
)

OF_IMPORT, OF_ROW = "m", "r"


def import_read(session: Session, run: ImportRun) -> ImportRead:
    """An import with its counts."""
    subjects: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(RowVerdict, 0))
    for row in session.execute(text(_BY_SUBJECT), {"run": run.id}):
        subjects[row.subject or "unknown"][row.verdict] = row.rows
    profile = session.get(ImportProfile, run.profile_id) if run.profile_id else None
    by = session.get(User, run.applied_by_user_id) if run.applied_by_user_id else None
    return ImportRead.model_validate(
        {
            "id": run.id,
            "kind": run.kind,
            "status": run.status,
            "title": run.title,
            "files": _file_names(session, run),
            "profile": profile.name if profile else None,
            "mapping": _mapping_read(run.mapping),
            "fields": list(service.kind_of(run).fields),
            "counts": _counts(session, run),
            "by_subject": dict(subjects),
            "accepted": run.choices.get("accept", []),
            "warnings": read_notices(run.warnings),
            "user": session.get_one(User, run.user_id).username,
            "created_at": run.created_at,
            "applied_at": run.applied_at,
            "applied_by": by.username if by else None,
            "undone_at": run.undone_at,
        }
    )


def imports(
    session: Session,
    *,
    limit: int,
    cursor: str | None = None,
    kind: str | None = None,
    status: ImportStatus | None = None,
) -> ImportPage:
    """Imports, last first."""
    query = select(ImportRun).order_by(ImportRun.id.desc()).limit(limit + 1)
    before = last_id(cursor, OF_IMPORT)
    if before is not None:
        query = query.where(ImportRun.id < before)
    if kind is not None:
        query = query.where(ImportRun.kind == kind)
    if status is not None:
        query = query.where(ImportRun.status == status)
    rows = session.scalars(query).all()
    return ImportPage(
        items=[import_read(session, run) for run in rows[:limit]],
        next_cursor=next_cursor(rows, limit, OF_IMPORT, lambda run: run.id),
    )


def import_rows(
    session: Session,
    run: ImportRun,
    *,
    limit: int,
    cursor: str | None = None,
    verdict: RowVerdict | None = None,
    needs_choice: bool | None = None,
) -> ImportRowPage:
    """Rows of an import in the order of its files."""
    query = select(ImportRow).where(ImportRow.import_run_id == run.id)
    query = query.order_by(ImportRow.position).limit(limit + 1)
    after = last_id(cursor, OF_ROW)
    if after is not None:
        query = query.where(ImportRow.position > after)
    if verdict is not None:
        query = query.where(ImportRow.verdict == verdict)
    if needs_choice is not None:
        query = query.where(ImportRow.needs_choice == needs_choice)
    rows = session.scalars(query).all()
    return ImportRowPage(
        items=[row_read(row) for row in rows[:limit]],
        next_cursor=next_cursor(rows, limit, OF_ROW, lambda row: row.position),
    )


def all_rows(session: Session, run: ImportRun) -> list[ImportRowRead]:
    """Every row of an import."""
    query = select(ImportRow).where(ImportRow.import_run_id == run.id)
    return [row_read(row) for row in session.scalars(query.order_by(ImportRow.position))]


def report(session: Session, run: ImportRun) -> ImportReport:
    """An import with every row of it."""
    return ImportReport(import_=import_read(session, run), rows=all_rows(session, run))


def row_read(row: ImportRow) -> ImportRowRead:
    """A row as it is answered."""
    notices = read_notices(row.detail["notices"])
    return ImportRowRead.model_validate(
        {
            "position": row.position,
            "ref": row.ref,
            "source": row.source,
            "row": row.row_number,
            "subject": row.subject,
            "code": row.code,
            "name": row.name,
            "verdict": row.verdict,
            "needs_choice": row.needs_choice,
            "reasons": [english(notice) for notice in notices],
            "outcome": row.outcome,
            **row.detail,
            "notices": notices,
        }
    )


def overlap_notices(rows: Iterable[ImportRowRead]) -> list[tuple[ImportRowRead, Notice]]:
    """Pairs of beds that overlap, the largest first."""
    pairs = [(row, n) for row in rows for n in row.notices if n.code == "overlaps"]
    return sorted(pairs, key=lambda pair: -pair[1].params["m2"])


def sources(session: Session, run: ImportRun) -> list[SourceRead]:
    """What layers or tables the files have, for whoever changes the columns."""
    read = service.kind_of(run).sources(service.files_of(session, run))
    return [
        SourceRead(
            name=source.name,
            columns=dict(source.columns),
            examples={name: list(words) for name, words in source.examples.items()},
            rows=source.row_count,
        )
        for source in read
    ]


@dataclass(frozen=True, slots=True)
class CountSheetLine:
    """One line of a filled sheet: all trays of a product at a place."""

    location_code: str
    product_code: str
    plants: int
    note: str


def count_sheet_rows(session: Session, run: ImportRun) -> list[CountSheetLine]:
    """What the trays of an import hold, by place and product, in the order of the file.

    Raises:
        ImportHasNoSheet: it is no list of trays, or was not carried out.
    """
    if run.kind != "trays" or run.status != ImportStatus.APPLIED:
        raise ImportHasNoSheet(f"import {run.id} is of {run.kind} and {run.status}")
    lines: dict[tuple[str, str], list[ImportRowRead]] = defaultdict(list)
    for row in all_rows(session, run):
        if row.outcome not in ("refused", "left") and row.code is not None:
            lines[row.values["location_code"], row.code].append(row)
    return [
        CountSheetLine(
            location, product, sum(row.values["plants"] for row in rows), _tray_note(rows)
        )
        for (location, product), rows in lines.items()
    ]


def _tray_note(rows: Sequence[ImportRowRead]) -> str:
    """Trays and plants of each, as the list has them."""
    words = [f"{row.values['trays']} × {row.values['plants_per_tray']}" for row in rows]
    return "; ".join(words)[:500]


def profiles(session: Session) -> list[ProfileRead]:
    """All remembered profiles, by name."""
    rows = session.scalars(select(ImportProfile).order_by(ImportProfile.name))
    return [profile_read(row) for row in rows]


def profile_read(profile: ImportProfile) -> ProfileRead:
    """A profile as it is answered."""
    return ProfileRead.model_validate(
        {
            "name": profile.name,
            "kind": profile.kind,
            "mapping": _mapping_read(profile.mapping),
            "created_at": profile.created_at,
            "updated_at": profile.updated_at,
        }
    )


def _mapping_read(mapping: Sequence[dict[str, object]]) -> list[MappingRead]:
    return [MappingRead.model_validate(item) for item in mapping]


def _file_names(session: Session, run: ImportRun) -> list[str]:
    query = select(ImportedFile.name).where(ImportedFile.import_run_id == run.id)
    return list(session.scalars(query.order_by(ImportedFile.id)))


def _counts(session: Session, run: ImportRun) -> ImportCounts:
    row = session.execute(text(_COUNTS), {"run": run.id}).mappings().one()
    is_done = run.status in (ImportStatus.APPLIED, ImportStatus.UNDONE)
    kept = dict(row) if is_done else {**row, "written": None, "left": None}
    return ImportCounts.model_validate(kept)


_COUNTS = """
SELECT count(*) AS rows,
       count(*) FILTER (WHERE verdict = 'new') AS new,
       count(*) FILTER (WHERE verdict = 'changed') AS changed,
       count(*) FILTER (WHERE verdict = 'same') AS same,
       count(*) FILTER (WHERE verdict = 'refused') AS refused,
       count(*) FILTER (WHERE needs_choice) AS needs_choice,
       count(*) FILTER (WHERE outcome IN ('created', 'changed')) AS written,
       count(*) FILTER (WHERE outcome = 'left') AS "left",
       coalesce(sum(jsonb_array_length(
           jsonb_path_query_array(detail -> 'notices', '$[*] ? (@.code == "overlaps")'))), 0)
           AS overlaps
FROM import_rows WHERE import_run_id = :run
"""
_BY_SUBJECT = """
SELECT subject, verdict, count(*) AS rows FROM import_rows
WHERE import_run_id = :run GROUP BY subject, verdict ORDER BY min(position)
"""
