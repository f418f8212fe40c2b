"""``demeter counts …``: by hand, by sheet, corrected, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from demeter.accounts.identity import acting_user
from demeter.cli.groups import command_group
from demeter.cli.output import (
    AsJson,
    At,
    Key,
    Preview,
    Reason,
    RequiredReason,
    Sheet,
    User,
    carry_out,
    checked_input,
    code_numbers,
    number_text,
    out,
    print_json,
    print_warnings,
    read_file,
)
from demeter.cli.tables import RowTable
from demeter.core import db
from demeter.core.db import transaction
from demeter.core.formats import site_text
from demeter.counts import commands as count_commands
from demeter.counts import queries as count_queries
from demeter.counts.schemas import CountCorrect, CountMove, HandCountCreate
from demeter.review import corrections, count_decisions
from demeter.stock.schemas import LedgerCommandCreate
from demeter.vision.values import ContainerType, CountUnit

app = command_group(help="Counts: by hand, corrected, taken back; count sheets.")

CountId = Annotated[int, typer.Argument(min=1, help="the count's number")]


@app.command("add")
def add(
    location: Annotated[str, typer.Argument(help="the location's code")],
    plants: Annotated[int | None, typer.Argument(min=0, help="all plants of it")] = None,
    bins: Annotated[
        list[str] | None, typer.Option("--bin", help="CODE=PLANTS, once a bin, instead")
    ] = None,
    product: Annotated[str | None, typer.Option()] = None,
    state: Annotated[str | None, typer.Option()] = None,
    packaging: Annotated[str | None, typer.Option()] = None,
    category: Annotated[
        ContainerType | None, typer.Option(help="of the bin, if one is made")
    ] = None,
    unit: Annotated[
        CountUnit | None, typer.Option(help="what was counted; else as is set there, or as last")
    ] = None,
    *,
    at: At = None,
    reason: Reason = None,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Count a location by hand: a stocktake at its moment, like a photo's."""
    checked = checked_input(
        HandCountCreate,
        location_code=location,
        plants=plants,
        bins=[{"bin_code": code, "plants": n} for code, n in code_numbers(bins or [], "CODE")],
        product_code=product,
        state=state,
        packaging_sku=packaging,
        category=category,
        unit=unit,
        occurred_at=at,
        reason=reason,
        user=user,
        movement_id=key,
    )
    carry_out(
        lambda session: count_commands.count_by_hand(session, checked),
        preview=preview,
        as_json=as_json,
    )


@app.command("list")
def list_(
    location: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(help="the page after this one")] = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="only those that wait")] = False,
    as_json: AsJson = False,
) -> None:
    """Counts, last kept first."""
    with transaction() as session:
        page = count_queries.counts(
            session, limit=limit, cursor=cursor, location_code=location, waiting=waiting
        )
    if as_json:
        print_json(page)
        return
    table = RowTable("count", "location", "moment", "number", "of", "by", "state")
    for row in page.items:
        state = "void" if row.voided_at else row.waits_for or ("posted" if row.posted_at else "–")
        plants = number_text(row.counted, row.counted_at_least)
        moment = site_text(row.captured_at)
        table.add_row(
            str(row.count_id),
            row.location_code,
            moment,
            plants,
            row.unit.value if row.unit else "–",
            row.counted_by,
            state,
        )
    table.print()
    if page.next_cursor:
        out.print(f"more: --cursor {page.next_cursor}")


@app.command("show")
def show(count_id: CountId) -> None:
    """One count with its containers, as JSON."""
    with transaction() as session:
        print_json(count_queries.count(session, count_id))


@app.command("correct")
def correct(
    count_id: CountId,
    containers: Annotated[list[str], typer.Argument(help="CONTAINER=PLANTS, by its id")],
    *,
    reason: Reason = None,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Say what a count should have said; the net difference is written."""
    numbers = [
        {"container_id": int(code) if code.isdecimal() else code, "plants": n}
        for code, n in code_numbers(containers, "CONTAINER")
    ]
    checked = checked_input(
        CountCorrect, containers=numbers, reason=reason, user=user, movement_id=key
    )
    carry_out(
        lambda session: corrections.correct_containers(session, count_id, checked),
        preview=preview,
        as_json=as_json,
    )


@app.command("repost")
def repost(
    count_id: CountId,
    *,
    reason: Reason = None,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Post a count again, after the configuration changed, say."""
    checked = checked_input(LedgerCommandCreate, reason=reason, user=user, movement_id=key)
    carry_out(
        lambda session: count_decisions.repost_count(session, count_id, checked),
        preview=preview,
        as_json=as_json,
    )


@app.command("void")
def void(
    count_id: CountId,
    *,
    reason: RequiredReason,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Take a count back; the later count stands."""
    checked = checked_input(LedgerCommandCreate, reason=reason, user=user, movement_id=key)
    carry_out(
        lambda session: count_decisions.void_count(session, count_id, checked),
        preview=preview,
        as_json=as_json,
    )


@app.command("move")
def move(
    count_id: CountId,
    location: Annotated[str, typer.Argument(help="what the photos show")],
    *,
    reason: RequiredReason,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """The photos of a count show another location: taken back there, posted here."""
    checked = checked_input(
        CountMove, location_code=location, reason=reason, user=user, movement_id=key
    )
    carry_out(
        lambda session: count_decisions.move_count(session, count_id, checked),
        preview=preview,
        as_json=as_json,
    )


@app.command("sheet")
def sheet_(
    place: Annotated[str, typer.Argument(help="code of a greenhouse, an area or a location")],
    file: Annotated[Path, typer.Argument(help="where it goes: .xlsx to fill, .pdf to print")],
    *,
    by_bin: Annotated[bool, typer.Option("--by-bin", help="one row a bin")] = False,
    language: Annotated[str, typer.Option(help="es or en")] = "es",
) -> None:
    """A count sheet to fill or to print."""
    from demeter.counts.sheets import template  # noqa: PLC0415  writers of files are slow to import

    with transaction() as session:
        rows = template.rows_of(session, place, by_bin=by_bin)
    is_paper = file.suffix.lower() == ".pdf"
    sheet_language = "en" if language == "en" else "es"
    file.write_bytes(
        template.as_pdf(rows, place, sheet_language)
        if is_paper
        else template.as_xlsx(rows, sheet_language)
    )
    out.print(f"{len(rows)} rows in {file}", soft_wrap=True)


@app.command("post-sheet")
def post_sheet(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="filled: .xlsx, .csv")],
    *,
    sheet: Sheet = None,
    user: User = None,
    key: Key = None,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Post a filled sheet: all of its locations or, where a cell is wrong, none."""
    from demeter.counts.sheets import posting  # noqa: PLC0415  as are their readers

    sent = checked_input(LedgerCommandCreate, user=user, movement_id=key)
    table_file = read_file(file, sheet)
    with transaction() as session:
        counter = acting_user(session, sent.user)

        def act() -> list[posting.SheetLine]:
            return posting.post(session, table_file, sent.movement_id, counter)

        lines = db.preview(session, act) if preview else act()
    if as_json:
        print_json(lines)
        return
    table = RowTable("location", "booked", "counted", "difference", "waits for")
    for row in lines:
        change = "unknown" if row.difference is None else f"{row.difference:+d}"
        numbers = (number_text(row.booked), str(row.counted), change)
        table.add_row(row.location_code, *numbers, row.effect.waits_for or "")
    table.print()
    print_warnings([warning for row in lines for warning in row.warnings])
    out.print("Nothing of this is kept." if preview else f"key {sent.movement_id}")
