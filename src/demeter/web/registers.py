"""The pages of registers: a list with search, a form, and what was changed; without scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.queries import changes as recorded_changes
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.formats import UNKNOWN, Numbers, Times
from demeter.core.http.etags import RowChanged, etag_of
from demeter.core.http.permissions import requires
from demeter.core.permissions import ROLES, Permission
from demeter.core.registers import queries, service
from demeter.core.registers.description import Register, RowReference
from demeter.core.registers.entries import (
    EntryKind,
    FieldEntry,
    FieldsWrong,
    entries,
    entry_text,
    parse_entries,
)
from demeter.core.registers.queries import Wanted
from demeter.core.registers.routes import filter_parameters, typed_endpoint
from demeter.core.wording import Texts
from demeter.web import render

SHOWN = 100
OFFERED = 500  # rows of another table to choose from
OWN_FIELDS = ("form_token", "etag")


async def typed_texts(request: Request) -> dict[str, str]:
    """The fields of a form as text, without a character that no column can hold."""
    form = await request.form()
    return {
        name: value.replace("\x00", "").replace("\r\n", "\n")
        for name, value in form.items()
        if isinstance(value, str)
    }


Typed = Annotated[dict[str, str], Depends(typed_texts)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Registers whose pages are together: ``title`` is the text that is their heading."""

    path: str
    title: str
    registers: tuple[Register, ...]
    links: tuple[tuple[str, str, str], ...] = ()  # path, icon, and the key of the words


def add_pages(router: APIRouter, shelf: Shelf) -> None:
    """Serve the shelf at its path, and the pages of each register at ``PATH/NAME``."""

    @router.get(shelf.path, **requires(Permission.SEE))
    def show_shelf(request: Request) -> Response:
        with transaction() as session:
            counts = [
                (r, None if r.read_only else queries.row_count(session, r)) for r in shelf.registers
            ]
        return render.page(request, "registers/shelf.html", shelf=shelf, counts=counts)

    for register in shelf.registers:
        _add_reads(router, shelf, register)
        if not register.read_only:
            _add_changes(router, shelf, register)


def _add_reads(router: APIRouter, shelf: Shelf, register: Register) -> None:
    base = f"{shelf.path}/{register.name}"

    def show_rows(
        request: Request, search: str, cursor: str | None, inactive: bool, **asked: Any
    ) -> Response:
        filters = {name: value for name, value in asked.items() if value is not None}
        active = None if inactive or not register.has_active else True
        wanted = Wanted(search.replace("\x00", "").strip()[:200] or None, active, filters)
        return _list_page(request, shelf, register, wanted, cursor, inactive)

    parameters: dict[str, Any] = {
        "request": (Request, ...),
        "search": (str, ""),
        "cursor": (str | None, None),
        "inactive": (bool, False),
    }
    endpoint = typed_endpoint(show_rows, parameters | filter_parameters(register))
    router.get(base, name=f"page_{register.name}", **requires(Permission.SEE))(endpoint)

    @router.get(f"{base}/rows/{{key:path}}", **requires(Permission.SEE))
    def show_row(request: Request, key: str) -> Response:
        with transaction() as session:
            row = queries.find_row(session, register, _key(register, key))
            read = queries.read_row(session, register, row)
        return _form_page(request, shelf, register, read=read)


def _add_changes(router: APIRouter, shelf: Shelf, register: Register) -> None:
    base = f"{shelf.path}/{register.name}"
    may_write, may_delete = requires(register.writes), requires(register.deletes)

    @router.get(f"{base}/new", **may_write)
    def ask_row(request: Request) -> Response:
        return _form_page(request, shelf, register)

    @router.post(f"{base}/new", **may_write)
    def create_row(request: Request, typed: Typed) -> Response:
        return _carry_out(
            request,
            shelf,
            register,
            typed,
            lambda session: service.create_row(
                session, register, parse_entries(register.create, _own(typed))
            ),
        )

    @router.post(f"{base}/rows/{{key}}/change", **may_write)
    def change_row(request: Request, key: str, typed: Typed) -> Response:
        return _carry_out(
            request,
            shelf,
            register,
            typed,
            lambda session: service.change_row(
                session,
                register,
                _key(register, key),
                parse_entries(register.changes, _own(typed)),
                if_match=typed.get("etag") or None,
            ),
            key=key,
        )

    @router.post(f"{base}/rows/{{key}}/delete", **may_delete)
    def delete_row(request: Request, key: str) -> Response:
        return _carry_out(
            request,
            shelf,
            register,
            {},
            lambda session: service.delete_row(session, register, _key(register, key)),
            key=key,
        )

    for verb in ("deactivate", "activate") if register.can_retire else ():
        _add_switch(router, shelf, register, verb)


def _add_switch(router: APIRouter, shelf: Shelf, register: Register, verb: str) -> None:
    @router.post(f"{shelf.path}/{register.name}/rows/{{key}}/{verb}", **requires(register.writes))
    def set_active(request: Request, key: str) -> Response:
        active = verb == "activate"
        return _carry_out(
            request,
            shelf,
            register,
            {},
            lambda session: service.set_active(
                session, register, _key(register, key), active=active
            ),
            key=key,
        )


def _carry_out(
    request: Request,
    shelf: Shelf,
    register: Register,
    typed: dict[str, str],
    act: Callable[[Session], Any],
    *,
    key: str | None = None,
) -> Response:
    """Do it and show the row, or the list where it is gone; refused, the form says why."""
    try:
        with transaction() as session:
            row = act(session)
            read = queries.read_row(session, register, row) if row is not None else None
    except DomainError as error:
        return _refused(request, shelf, register, typed, error, key)
    base = f"{shelf.path}/{register.name}"
    there = base if read is None else f"{base}/rows/{_address(register, read)}"
    return RedirectResponse(there, status_code=303)


def _refused(
    request: Request,
    shelf: Shelf,
    register: Register,
    typed: dict[str, str],
    error: DomainError,
    key: str | None,
) -> Response:
    read = None
    if key is not None:
        with transaction() as session:
            row = queries.find_row(session, register, _key(register, key))
            read = queries.read_row(session, register, row)
    return _form_page(request, shelf, register, read=read, typed=_own(typed), error=error)


def _list_page(
    request: Request,
    shelf: Shelf,
    register: Register,
    wanted: Wanted,
    cursor: str | None,
    inactive: bool,
) -> Response:
    with transaction() as session:
        page = queries.read_page(session, register, wanted, limit=SHOWN, cursor=cursor)
    words = render.words_of(request)
    return render.page(
        request,
        "registers/list.html",
        shelf=shelf,
        register=register,
        rows=page.items,
        next_cursor=page.next_cursor,
        search=wanted.search or "",
        inactive=inactive,
        filters={name: entry_text(value) for name, value in wanted.filters.items()},
        kept=_query(wanted, inactive),
        may_write=_may(register.writes) and not register.read_only,
        address=lambda read: _address(register, read),
        shown=lambda value: shown_value(words, value),
    )


def _query(wanted: Wanted, inactive: bool) -> str:
    """What a link to the same list, further on, must say again."""
    asked = {name: entry_text(value) for name, value in wanted.filters.items()}
    asked |= {"search": wanted.search} if wanted.search else {}
    return urlencode(asked | ({"inactive": "true"} if inactive else {}))


def _form_page(
    request: Request,
    shelf: Shelf,
    register: Register,
    *,
    read: Any = None,
    typed: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response:
    fields = entries(register)
    words = render.words_of(request)
    stored = {e.name: _typed_text(words, e, getattr(read, e.name)) for e in fields if read}
    with transaction() as session:
        offered = {
            entry.name: _offered(session, register, entry.name)
            for entry in fields
            if entry.kind is EntryKind.ROW and not register.read_only
        }
        history = _history(session, register, read)
    return render.page(
        request,
        "registers/form.html",
        status_code=error.status if error else 200,
        shelf=shelf,
        register=register,
        fields=fields,
        read=read,
        etag=etag_of(read) if read is not None else "",
        values=stored | (typed or {}),
        offered=offered,
        faults=error.context.get("faults", {}) if isinstance(error, FieldsWrong) else {},
        problem=error.problem() if error else None,
        clashes=_clashes(error, fields),
        history=history,
        address=_address(register, read) if read is not None else "",
        heading=_heading(words, register, read) if read is not None else None,
        may_write=_may(register.writes) and not register.read_only,
        may_delete=_may(register.deletes) and not register.read_only,
        label=lambda name: _label(words, register, name),
        shown=lambda value: shown_value(words, value),
    )


def _clashes(error: DomainError | None, fields: list[Any]) -> list[tuple[str, Any, Any]]:
    """Of a row that somebody else changed meanwhile: field, what is there now, what one wrote."""
    if not isinstance(error, RowChanged):
        return []
    now, yours = error.context["now"], error.context["yours"] or {}
    names = [entry.name for entry in fields if entry.name in yours]
    return [(name, now[name], yours[name]) for name in names if now[name] != yours[name]]


def _offered(session: Session, register: Register, name: str) -> list[tuple[str, str]]:
    """Rows that a field can name, with what people call them; those out of use are left out."""
    form = register.fields[name]
    assert isinstance(form, RowReference)
    kind = form.target.class_
    label = getattr(kind, "name", form.target)
    query = select(form.target, label).order_by(label, form.target).limit(OFFERED)
    if hasattr(kind, "active"):
        query = query.where(kind.active)
    return [(str(key), str(text)) for key, text in session.execute(query)]


def _history(session: Session, register: Register, read: Any) -> list[Any]:
    """What was changed of a row, for those who may see it."""
    if read is None or not _may(Permission.ADMINISTER):
        return []
    key = getattr(read, "code", None) or getattr(read, "sku", None) or str(read.id)
    page = recorded_changes(session, subject=register.table, subject_key=key, limit=50)
    return page.items


def _may(permission: Permission) -> bool:
    acting = identity.current()
    return acting is not None and acting.role in ROLES[permission]


def _key(register: Register, key: str) -> str | int:
    if register.key is not None:
        return key
    return int(key) if key.isascii() and key.isdigit() and len(key) <= 15 else 0  # noqa: PLR2004


def _address(register: Register, read: Any) -> str:
    return quote(str(queries.key_of(register, read)), safe="")


def _typed_text(words: Texts, entry: FieldEntry, value: Any) -> str:
    """A value as people of the language type it: 12,5 in Spanish."""
    text = entry_text(value)
    is_spanish_number = entry.kind is EntryKind.NUMBER and words.language == "es"
    return text.replace(".", ",") if is_spanish_number else text


def _heading(words: Texts, register: Register, read: Any) -> str:
    """What people call a row; of one without a name, its first columns."""
    if register.key is not None:
        return str(getattr(read, "name", None) or getattr(read, register.key))
    shown = [shown_value(words, getattr(read, name)) for name in register.columns[:2]]
    return " · ".join(text for text in shown if text != UNKNOWN)


def _own(typed: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in typed.items() if name not in OWN_FIELDS}


def _label(words: Texts, register: Register, name: str) -> str:
    """What people call a field, also by the name of its column."""
    by_attribute = {form.attribute: field for field, form in register.fields.items()}
    return words.get(f"field.{by_attribute.get(name, name)}", name)


def shown_value(words: Texts, value: Any) -> str:  # noqa: PLR0911  a line a kind of value
    """A value for reading, in the person's language."""
    number, time = Numbers(words.language), Times(words.language)
    match value:
        case None | "":
            return UNKNOWN
        case bool():
            return words("registers.yes" if value else "registers.no")
        case Decimal() | float():
            return number.decimal(float(value))
        case datetime():
            return time(value)
        case date():
            return time.day(value)
        case Enum():
            return words.get(f"choice.{value.value}", str(value.value))
        case dict() | list():
            return entry_text(value) or UNKNOWN
        case _:
            return words.get(f"choice.{value}", str(value))
