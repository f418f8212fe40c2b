"""What commands of the ledger share: keys, moments, changes shown before they are written."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.orm import Session

from demeter.cli.tables import RowTable
from demeter.core import db
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.formats import site_text
from demeter.core.tabular.raw import MOST_BYTES
from demeter.core.tabular.remarks import Remark, RemarkRead, placed_sentence
from demeter.core.tabular.tables import TableFile
from demeter.stock.changes import LedgerChange

out, err = Console(highlight=False), Console(stderr=True, highlight=False)

Preview = Annotated[bool, typer.Option("--preview", help="show what it would write, keep nothing")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
User = Annotated[str | None, typer.Option("--user", help="who says so; else the service user")]
At = Annotated[
    str | None, typer.Option("--at", help="when it happened: 2026-03-01T10:30, or a date; else now")
]
Reason = Annotated[str | None, typer.Option("--reason", help="why")]
RequiredReason = Annotated[str, typer.Option("--reason", help="why")]
Key = Annotated[
    UUID | None, typer.Option("--key", help="your own key: the same again is answered alike")
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", help="of a workbook of which several sheets fit")
]

Input = TypeVar("Input")


def checked_input(kind: type[Input] | Any, **fields: Any) -> Input:
    """What was typed, checked as the HTTP API checks it.

    Raises:
        InvalidInput: it names each field that is wrong.
    """
    filled = {name: value for name, value in fields.items() if value not in (None, [], ())}
    if "movement_id" in getattr(kind, "model_fields", {"movement_id"}):  # or in each of several
        filled = {"movement_id": uuid4()} | filled
    try:
        return TypeAdapter(kind).validate_python(filled)
    except ValidationError as error:
        message = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'][-1:])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InvalidInput(message) from error


def code_numbers(words: list[str], code_name: str) -> list[tuple[str, int]]:
    """``CODE=NUMBER`` words, taken apart.

    Raises:
        InvalidInput: one is not so.
    """
    parsed = []
    for word in words:
        code, _, number = word.rpartition("=")
        if not code or not number.isdecimal():
            raise InvalidInput(f"{word!r} is no {code_name}=NUMBER")
        parsed.append((code, int(number)))
    return parsed


def read_file(path: Path, sheet: str | None) -> TableFile:
    """A table to read; of what is longer than one may be no more than shows it."""
    with path.open("rb") as stream:
        return TableFile(file_name(path), io.BytesIO(stream.read(MOST_BYTES + 1)), sheet)


def file_name(path: Path) -> str:
    """The name of a file as text; one that is no UTF-8 is taken as Latin-1."""
    raw = os.fsencode(path.name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def print_warnings(warnings: Sequence[Remark | RemarkRead]) -> None:
    """What is odd about a table that was taken, on standard error."""
    for warning in warnings:
        err.print(f"[yellow]Warning:[/yellow] {escape(placed_sentence(warning))}", soft_wrap=True)


def carry_out(act: Callable[[Session], LedgerChange], *, preview: bool, as_json: bool) -> None:
    """Do it, or only show it; then say what it wrote."""
    with transaction() as session:
        change = db.preview(session, lambda: act(session)) if preview else act(session)
    if as_json:
        print_json(change)
        return
    print_ledger_change(change)
    if preview:
        out.print("Nothing of this is kept.")


def number_text(number: int | None, at_least: int | None = None) -> str:
    """A number, what is known of it, or that it is not known: never 0 for unknown."""
    if number is not None:
        return str(number)
    return "unknown" if at_least is None else f"≥ {at_least}"


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """A model, or several, as one JSON document on standard output."""
    if isinstance(value, BaseModel):
        document: Any = value.model_dump(mode="json")
    else:
        document = [item.model_dump(mode="json") for item in value]
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def print_ledger_change(change: LedgerChange) -> None:
    """The movements with their lots before and after, and what a count waits for."""
    if change.movements:
        table = RowTable("movement", "plants", "moment", "lot", "before", "after", "why")
        for row in change.movements:
            table.add_row(
                row.movement_type.value,
                f"{row.quantity:+d}",
                site_text(row.occurred_at),
                row.batch_code,
                str(row.batch_before),
                str(row.batch_after),
                row.why or "",
            )
        table.print()
    elif change.waits_for is None:
        out.print("No difference: nothing was to be written.")
    if change.count_id is not None:
        out.print(f"count {change.count_id}")
    if change.waits_for is not None:
        out.print(f"It waits ({change.waits_for}): {change.message}\n→ {change.next_action}")
    out.print(f"key {change.movement_id}", soft_wrap=True)
