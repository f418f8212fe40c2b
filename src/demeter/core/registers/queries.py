"""What is read of a register: one row, a page, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from demeter.core.notices import Notice
from demeter.core.pagination import BadCursor, last_id, next_cursor
from demeter.core.registers.description import MOST_NAMED, Register
from demeter.core.registers.errors import RowNotFound

KIND = "r"  # of cursors
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: ``filters`` are fields with the value they must have."""

    search: str | None = None
    active: bool | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)


def find_row(session: Session, register: Register, key: str | int, *, lock: bool = False) -> Any:
    """The row that people call ``key``, or that has this number.

    Raises:
        RowNotFound: none; it says which are called something like it.
    """
    query = select(register.model).where(_is_called(register, key), *_visible(register))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise RowNotFound(
            Notice("row_not_found", {"name": str(key), "kind": register.table}),
            table=register.table,
            key=str(key),
            nearest=_nearest(session, register, str(key)),
        )
    return row


def read_row(session: Session, register: Register, row: Any) -> Any:
    """A row as it is shown, asked for anew."""
    session.flush()
    number = getattr(register.model, register.id)
    query = _rows(register).where(number == getattr(row, register.id))
    result = session.execute(query.execution_options(populate_existing=True)).one()
    return _shown(register, result)


def read_page(
    session: Session, register: Register, wanted: Wanted, *, limit: int, cursor: str | None = None
) -> Any:
    """A page of rows, in the order in which people look for them.

    Raises:
        BadCursor: ``cursor`` did not come from a page, or its row is gone.
    """
    query = _narrowed(register, wanted).limit(limit + 1)
    if (after := last_id(cursor, KIND)) is not None:
        query = query.where(_is_after(session, register, after))
    rows = session.execute(query).all()
    items = [_shown(register, row) for row in rows]
    return register.page(
        items=items[:limit], next_cursor=next_cursor(items, limit, KIND, lambda item: item.id)
    )


def read_all(session: Session, register: Register, wanted: Wanted) -> Iterator[Any]:
    """Every row, in the same order."""
    for row in session.execute(_narrowed(register, wanted).execution_options(yield_per=CHUNK)):
        yield _shown(register, row)


def row_count(session: Session, register: Register) -> int:
    """How many rows there are, those out of use too."""
    return session.scalar(select(func.count()).select_from(register.model)) or 0


def key_of(register: Register, read: BaseModel) -> str | int:
    """How a row is named in addresses and commands."""
    return getattr(read, register.key or "id")


def _rows(register: Register) -> Select[Any]:
    own = [form.expression(register.model).label(name) for name, form in register.fields.items()]
    return select(register.model, *own)


def _narrowed(register: Register, wanted: Wanted) -> Select[Any]:
    query = _rows(register).where(*_visible(register)).order_by(*_order(register))
    if wanted.search and register.search:
        pattern = f"%{_escaped(wanted.search.strip())}%"
        texts = [cast(field_expression(register, name), String) for name in register.search]
        query = query.where(or_(*(text.ilike(pattern) for text in texts)))
    if wanted.active is not None and register.has_active:
        query = query.where(register.model.active == wanted.active)
    for name, value in wanted.filters.items():
        query = query.where(field_expression(register, name) == value)
    return query


def field_expression(register: Register, name: str) -> ColumnElement[Any]:
    """A field in SQL, as it is shown."""
    if name in register.fields:
        return register.fields[name].expression(register.model)
    return getattr(register.model, name)


def _order(register: Register) -> tuple[Any, ...]:
    names = (register.order or register.key or register.id, register.id)
    return tuple(getattr(register.model, name) for name in dict.fromkeys(names))


def _is_after(session: Session, register: Register, number: int) -> ColumnElement[bool]:
    order = _order(register)
    last = session.execute(select(*order).where(order[-1] == number)).first()
    if last is None:
        raise BadCursor("the row at which the page before ended is gone")
    return tuple_(*order) > tuple_(*last)


def _visible(register: Register) -> list[ColumnElement[bool]]:
    return [register.visible()] if register.visible is not None else []


def _is_called(register: Register, key: str | int) -> ColumnElement[bool]:
    return getattr(register.model, register.key or register.id) == key


def _nearest(session: Session, register: Register, key: str) -> list[str]:
    if register.key is None:
        return []
    names = session.scalars(select(getattr(register.model, register.key)).limit(5000))
    return get_close_matches(key, [str(name) for name in names], MOST_NAMED, cutoff=0.3)


def _escaped(typed: str) -> str:
    return typed.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _shown(register: Register, result: Any) -> Any:
    row, own = result[0], dict(zip(register.fields, result[1:], strict=True))
    values: dict[str, Any] = {}
    for name in register.read.model_fields:
        if name == "id":
            values[name] = getattr(row, register.id)
        elif name in own:
            values[name] = register.fields[name].from_column(own[name])
        else:
            values[name] = getattr(row, name)
    return register.read.model_validate(values)
