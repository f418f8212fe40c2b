"""What commands that import files share: shown first, then asked, then written or not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.cli.output import err, file_name, out
from demeter.cli.tables import RowTable
from demeter.core import db
from demeter.core.db import transaction
from demeter.core.imports.kinds import ImportFile
from demeter.core.imports.plans import ACCEPTED_AT_ONCE
from demeter.core.tabular.raw import MOST_BYTES
from demeter.core.wording import english
from demeter.imports import queries, service
from demeter.imports.models import ImportRun
from demeter.imports.schemas import ImportReport, ImportRowRead

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="accept overlaps, places outside their parent and suggested spellings; "
        "rows that are refused are listed",
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="columns remembered under a name, or a kind of list: prices, species, trays, products",
    ),
]


def import_files(
    paths: list[Path],
    *,
    kind_name: str | None,
    profile: str | None,
    preview: bool,
    yes: bool,
    as_json: bool,
    user: str | None,
) -> None:
    """Preview files and, with a yes, write them. Exit status 1 where nothing was written."""
    source = ImportSource([_file(path) for path in paths], kind_name, profile)
    with transaction() as session:
        by = acting_user(session, user)
        report = db.preview(session, lambda: queries.report(session, source.start(session, by)))
        if preview:
            _print(report, as_json=as_json)
            return
        if not yes and not _is_confirmed(report, as_json=as_json):
            raise typer.Exit(1)
        run = source.start(session, by)
        accept = sorted(ACCEPTED_AT_ONCE)
        service.apply_import(session, run, by, accept=accept, leave_undecided=True)
        report = queries.report(session, run)
    _print(report, as_json=as_json)


@dataclass(frozen=True, slots=True)
class ImportSource:
    """Files with what they are said to be."""

    files: list[ImportFile]
    kind_name: str | None
    profile: str | None

    def start(self, session: Session, by: User) -> ImportRun:
        """A preview of them."""
        return service.start_import(
            session, self.files, by, kind_name=self.kind_name, profile_name=self.profile
        )


def _is_confirmed(report: ImportReport, *, as_json: bool) -> bool:
    """Ask a person; without a terminal nobody says yes."""
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _print(report, as_json=as_json)
        err.print("Nothing was written: say --yes, or --preview to look only.")
        return False
    _print(report, as_json=False)
    counts = report.import_.counts
    if not counts.new + counts.changed:
        return True
    question = f"Write {counts.new + counts.changed} rows"
    if counts.needs_choice:
        question += f", {counts.needs_choice} of them with what is said above"
    return typer.confirm(f"{question}?", default=False)


def _file(path: Path) -> ImportFile:
    with path.open("rb") as stream:
        return ImportFile(file_name(path), stream.read(MOST_BYTES + 1))


def _print(report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=1, by_alias=True) + "\n")
        return
    import_ = report.import_
    _print_rows("Refused", [row for row in report.rows if row.verdict == "refused"])
    _print_rows("To be decided", [row for row in report.rows if row.needs_choice])
    _print_rows("Not taken", [row for row in report.rows if row.outcome == "left"])
    for warning in import_.warnings:
        err.print(f"[yellow]Warning:[/yellow] {escape(english(warning))}", soft_wrap=True)
    counts = import_.counts
    out.print(
        f"{counts.rows} rows: {counts.new} new, {counts.changed} changed, {counts.same} the same, "
        f"{counts.refused} refused; {counts.overlaps} overlaps"
    )
    if counts.written is None:
        out.print("Nothing of this is kept.")
    else:
        out.print(f"Import {import_.id}: {counts.written} written, {counts.left} not taken.")


def _print_rows(title: str, rows: list[ImportRowRead]) -> None:
    if not rows:
        return
    table = RowTable("source", "row", "name", "code", "why", title=title)
    for row in rows:
        why = " ".join(row.reasons)
        table.add_row(row.source, str(row.row), row.name, row.code, why)
    table.print()
