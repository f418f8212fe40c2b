"""``demeter periods …``: month's end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from demeter.accounts.identity import acting_user
from demeter.cli.groups import command_group
from demeter.cli.output import (
    AsJson,
    Sheet,
    User,
    out,
    print_json,
    print_warnings,
    read_file,
)
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.formats import UNKNOWN, site_text
from demeter.core.moments import boundary_of, parse_typed
from demeter.core.wording import read
from demeter.periods import closing, queries, service
from demeter.periods.formula import ExceptionKind
from demeter.periods.schemas import PeriodPreviewRead
from demeter.stock import lookup

app = command_group(help="Month's end: open, look, explain, close, reopen, report.")

Code = Annotated[str, typer.Argument(help="the period's code, such as 2026-03")]


@app.command("open")
def open_(
    code: Code,
    ends: Annotated[
        str | None, typer.Option(help="when it ends, or its last day; a month says it")
    ] = None,
    grace_hours: Annotated[int | None, typer.Option(min=0, max=2000)] = None,
    *,
    user: User = None,
) -> None:
    """Open a period."""
    boundary = None if ends is None else boundary_of(parse_typed(ends))
    with transaction() as session:
        period = service.open_period(
            session,
            acting_user(session, user),
            code,
            boundary,
            grace_hours,
        )
        out.print(
            f"{period.code} ends {site_text(period.boundary_at)}, grace {period.grace_hours} h"
        )


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Periods, latest first."""
    with transaction() as session:
        periods = queries.periods(session)
    if as_json:
        print_json(periods)
        return
    table = RowTable("period", "ends", "status", "last change")
    for period in periods:
        last = period.events[-1]
        change = f"{last.event} by {last.by} {last.reason or ''}"
        table.add_row(period.code, site_text(period.boundary_at), period.status.value, change)
    table.print()


@app.command("show")
def show(code: Code, *, as_json: AsJson = False) -> None:
    """What closing finds, line by line, with what has to be explained."""
    with transaction() as session:
        preview = queries.period_preview(session, service.find_period(session, code))
    if as_json:
        print_json(preview)
    else:
        _print(preview)


def _print(preview: PeriodPreviewRead) -> None:
    from demeter.periods import report  # noqa: PLC0415  writers of files are slow to import

    table = RowTable(*report.headings(read("en"))[2:])
    for line in preview.lines:
        values = [cell(line) for _, cell in report.COLUMNS[2:]]
        table.add_row(*(UNKNOWN if value is None else str(value) for value in values))
    table.print()
    for line in preview.lines:
        for exception in line.exceptions:
            why = (
                f"— {exception.explanation} ({exception.explained_by})"
                if exception.explanation
                else ""
            )
            out.print(
                f"[yellow]{line.location_code} {line.product_code}[/yellow] {exception.kind}: "
                f"{exception.message} {why}",
                soft_wrap=True,
            )
    sold, unrecorded = (
        UNKNOWN if n is None else str(n) for n in (preview.sales, preview.unrecorded_sales)
    )
    out.print(
        f"{sold} sold, {unrecorded} of them not recorded, "
        f"{preview.lines_unknown} lines unknown, {preview.exceptions_left} exceptions left"
    )


@app.command("trace")
def trace(
    code: Code,
    location: Annotated[str, typer.Argument(help="the line's location")],
    product: Annotated[str, typer.Argument(help="the line's product")],
) -> None:
    """The counts, photos and movements that a line is made of, as JSON."""
    with transaction() as session:
        print_json(
            queries.line_trace(
                session,
                service.find_period(session, code),
                lookup.location(session, location).location_id,
                lookup.product(session, product).id,
            )
        )


@app.command("explain")
def explain(
    code: Code,
    explanation: Annotated[str, typer.Argument(help="why it is as it is")],
    location: Annotated[str | None, typer.Option()] = None,
    product: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[ExceptionKind | None, typer.Option(help="only this exception")] = None,
    at: Annotated[
        str | None, typer.Option(help="all of a greenhouse, an area or a location")
    ] = None,
    together: Annotated[
        str | None, typer.Option(help="as --at, only differences within the counts' intervals")
    ] = None,
    *,
    user: User = None,
) -> None:
    """Explain exceptions: of a line, a kind, a greenhouse, or a kind in a greenhouse."""
    places = [place for place in (location, at, together) if place is not None]
    if len(places) > 1 or not (places or kind):
        raise InvalidInput("name one of --location, --at and --together, or --kind, or both")
    with transaction() as session:
        period, explainer = (
            service.find_period(session, code, lock=True),
            acting_user(session, user),
        )
        if location is not None:
            lookup.location(session, location)
        if product is not None:
            lookup.product(session, product)
        chosen = service.Chosen(
            places[0] if places else None, product, kind, small_only=together is not None
        )
        number = service.explain(session, period, explainer, explanation, chosen)
    out.print(f"{number} exceptions explained")


@app.command("close")
def close(code: Code, *, user: User = None) -> None:
    """Close a period, or propose to where a second person has to do it."""
    with transaction() as session:
        period = closing.close(session, code, acting_user(session, user))
        out.print(f"{code} is {period.status.value}")


@app.command("reopen")
def reopen(
    code: Code,
    reason: Annotated[str, typer.Option("--reason", help="why")],
    *,
    user: User = None,
) -> None:
    """Open a closed period again; what closing wrote is reversed."""
    with transaction() as session:
        period = closing.reopen(session, code, acting_user(session, user), reason)
        out.print(f"{code} is {period.status.value}")


@app.command("compare")
def compare(
    code: Code,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="sales: .csv, .xlsx")],
    tolerance: Annotated[float | None, typer.Option(min=0, max=1, help="share")] = None,
    sheet: Sheet = None,
) -> None:
    """Compare a client's sales file with the period, line by line."""
    from demeter.periods import sales_comparison  # noqa: PLC0415  as are their readers

    table_file = read_file(file, sheet)
    with transaction() as session:
        period = service.find_period(session, code)
        comparison = sales_comparison.compare_file(session, period, table_file, tolerance)
    table = RowTable("row", "product", "packaging", "sold", "verdict", "file", "ledger")
    for compared in comparison.lines:
        line = compared.line
        totals = (
            "–" if n is None else str(n) for n in (compared.file_total, compared.ledger_total)
        )
        names = (str(line.row), line.product_sku, line.packaging_sku or "–")
        table.add_row(*names, str(line.quantity_sold), compared.verdict.value, *totals)
    table.print()
    for (product, packaging), plants in comparison.not_in_file:
        out.print(f"not in the file: {product} {packaging or '–'}, {plants} sold")
    print_warnings(comparison.warnings)


@app.command("report")
def report_(
    code: Code,
    file: Annotated[Path, typer.Argument(help="where it goes: .xlsx or .pdf")],
    *,
    language: Annotated[str, typer.Option(help="es or en")] = "es",
) -> None:
    """Write the period's report."""
    from demeter.periods import report  # noqa: PLC0415  see `_print`

    with transaction() as session:
        preview = queries.period_preview(session, service.find_period(session, code))
    report_language = "en" if language == "en" else "es"
    as_file = report.as_pdf if file.suffix.lower() == ".pdf" else report.as_xlsx
    file.write_bytes(as_file(preview, report_language))
    out.print(f"{len(preview.lines)} lines in {file}", soft_wrap=True)
