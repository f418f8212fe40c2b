"""The commands of registers: the same verbs for every table of master data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from pydantic import BaseModel, create_model

from demeter.accounts.identity import acting_user
from demeter.cli.output import out, print_json
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.registers import queries, service
from demeter.core.registers.description import Register
from demeter.core.registers.entries import (
    EntryKind,
    FieldsWrong,
    entries,
    entry_text,
    parse_entries,
)
from demeter.core.registers.queries import Wanted
from demeter.core.schemas import Input

Table = Annotated[str, typer.Argument(metavar="TABLE", help="its name; without it, all are named")]
Name = Annotated[str, typer.Argument(metavar="KEY", help="code, SKU, name or number of the row")]
Fields = Annotated[
    list[str], typer.Argument(metavar="FIELD=VALUE…", help="as `fields TABLE` lists them")
]
By = Annotated[str | None, typer.Option("--user", help="who does it; else the service user")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


class TableUnknown(InvalidInput):
    """No table of master data has this name."""

    code = "table_unknown"
    title = "There is no such table"
    next_action = "Name one of those that are listed."


def add_commands(app: typer.Typer, *registers: Register, has_list: bool = True) -> None:
    """Give a group of commands the verbs of these registers; some have a `list` of their own."""
    by_name = {register.name: register for register in registers}
    if has_list:
        _add_list(app, by_name)
    _add_show(app, by_name)
    _add_fields(app, by_name)
    _add_changes(app, by_name)
    _add_ends(app, by_name)


def add_reads(app: typer.Typer, *registers: Register) -> None:
    """Give a group of commands the verbs that only read: `list` and `show`."""
    by_name = {register.name: register for register in registers}
    _add_list(app, by_name)
    _add_show(app, by_name)


def _add_list(app: typer.Typer, by_name: Mapping[str, Register]) -> None:
    @app.command("list")
    def list_(
        table: Table,
        *,
        search: Annotated[str | None, typer.Option(help="what its texts hold")] = None,
        where: Annotated[
            list[str] | None, typer.Option(metavar="FIELD=VALUE", help="only rows with this")
        ] = None,
        active: Annotated[
            bool | None, typer.Option("--active/--inactive", help="else all rows")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """List every row of a table."""
        print_table(_find(by_name, table), search, where or [], active=active, as_json=as_json)


def print_table(
    register: Register,
    search: str | None,
    where: list[str],
    *,
    active: bool | None,
    as_json: bool,
) -> None:
    """Every row of a register that is asked for."""
    wanted = Wanted(search, active, _filters(register, where))
    with transaction() as session:
        rows = list(queries.read_all(session, register, wanted))
    _print_rows(register, rows, as_json=as_json)


def _add_show(app: typer.Typer, by_name: Mapping[str, Register]) -> None:
    @app.command("show")
    def show(table: Table, key: Name) -> None:
        """Print one row as JSON."""
        register = _find(by_name, table)
        with transaction() as session:
            row = queries.find_row(session, register, _key(register, key))
            print_json(queries.read_row(session, register, row))


def _add_fields(app: typer.Typer, by_name: Mapping[str, Register]) -> None:
    @app.command("fields")
    def fields(table: Table) -> None:
        """List the fields that `add` and `change` take."""
        rows = RowTable("field", "is", "needed", "choices")
        for entry in entries(_find(by_name, table)):
            needed = "yes" if entry.required else ""
            rows.add_row(entry.name, _EXPLAINED[entry.kind], needed, " ".join(entry.choices))
        rows.print()


def _add_changes(app: typer.Typer, by_name: Mapping[str, Register]) -> None:
    @app.command("add")
    def add(table: Table, values: Fields, *, user: By = None, as_json: AsJson = False) -> None:
        """Add a row."""
        register = _writable(by_name, table)
        body = _parsed(register.create, values)
        with transaction() as session:
            acting_user(session, user)
            row = service.create_row(session, register, body)
            read = queries.read_row(session, register, row)
        _print_row(register, read, as_json=as_json)

    @app.command("change")
    def change(
        table: Table, key: Name, values: Fields, *, user: By = None, as_json: AsJson = False
    ) -> None:
        """Change fields of a row; the rest stays, and FIELD= empties one."""
        register = _writable(by_name, table)
        body = _parsed(register.changes, values)
        with transaction() as session:
            acting_user(session, user)
            row = service.change_row(session, register, _key(register, key), body)
            read = queries.read_row(session, register, row)
        _print_row(register, read, as_json=as_json)


def _add_ends(app: typer.Typer, by_name: Mapping[str, Register]) -> None:
    @app.command("retire")
    def retire(table: Table, key: Name, *, user: By = None, as_json: AsJson = False) -> None:
        """Put a row out of use; what happened with it stays."""
        _switch(_writable(by_name, table), key, user, active=False, as_json=as_json)

    @app.command("activate")
    def activate(table: Table, key: Name, *, user: By = None, as_json: AsJson = False) -> None:
        """Put a row into use again."""
        _switch(_writable(by_name, table), key, user, active=True, as_json=as_json)

    @app.command("delete")
    def delete(table: Table, key: Name, *, user: By = None) -> None:
        """Delete a row that nothing holds."""
        register = _writable(by_name, table)
        with transaction() as session:
            acting_user(session, user)
            service.delete_row(session, register, _key(register, key))
        out.print(f"{register.name} {key} is deleted.", markup=False, soft_wrap=True)


def _switch(register: Register, key: str, user: str | None, *, active: bool, as_json: bool) -> None:
    with transaction() as session:
        acting_user(session, user)
        row = service.set_active(session, register, _key(register, key), active=active)
        read = queries.read_row(session, register, row)
    _print_row(register, read, as_json=as_json)


def _find(by_name: Mapping[str, Register], name: str) -> Register:
    if name not in by_name:
        raise TableUnknown(f"there is no table {name!r}; there are {', '.join(sorted(by_name))}")
    return by_name[name]


def _writable(by_name: Mapping[str, Register], name: str) -> Register:
    register = _find(by_name, name)
    if register.read_only:
        raise TableUnknown(f"{name} is evidence: it is read, not written")
    return register


def _key(register: Register, key: str) -> str | int:
    if register.key is not None:
        return key
    if not key.isascii() or not key.isdigit() or len(key) > 15:  # noqa: PLR2004  bigint's
        raise InvalidInput(f"{register.name} are named by their number, not {key!r}")
    return int(key)


def _filters(register: Register, words: list[str]) -> dict[str, Any]:
    """Values by field, of those that a list can be narrowed by."""
    fields = {n: (register.read.model_fields[n].annotation, None) for n in register.filters}
    given = _parsed(create_model("Filters", __base__=Input, **fields), words)  # type: ignore[call-overload]
    return {name: value for name, value in given.model_dump().items() if value is not None}


def _parsed(schema: type[BaseModel], words: list[str]) -> Any:
    texts: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise InvalidInput(f"{word!r} is no FIELD=VALUE")
        texts[name] = value
    try:
        return parse_entries(schema, texts)
    except FieldsWrong as error:
        faults = "; ".join(f"{n}: {_FAULTS[f]}" for n, f in error.context["faults"].items())
        known = ", ".join(schema.model_fields)
        raise FieldsWrong(f"{faults} (fields are {known})", **error.context) from error


def _print_rows(register: Register, rows: list[Any], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    names = (*register.columns, *(("active",) if register.has_active else ()))
    names = names if register.key else ("id", *names)
    table = RowTable(*names)
    for row in rows:
        table.add_row(*(entry_text(getattr(row, name)) for name in names))
    table.print()
    out.print(f"{len(rows)} {register.name}")


def _print_row(register: Register, read: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(read)
    else:
        _print_rows(register, [read], as_json=False)


_EXPLAINED = {
    EntryKind.LINE: "text",
    EntryKind.PROSE: "text",
    EntryKind.WHOLE: "whole number",
    EntryKind.NUMBER: "number, such as 12.5",
    EntryKind.SWITCH: "yes or no",
    EntryKind.CHOICE: "one of",
    EntryKind.DAY: "day, such as 2026-03-01",
    EntryKind.ROW: "a row of another table, by its name",
    EntryKind.JSON: "JSON",
}
_FAULTS = {kind.value: f"not right: {words}" for kind, words in _EXPLAINED.items()} | {
    "missing": "is needed",
    "unknown": "is no field here",
}
