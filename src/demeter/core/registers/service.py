"""What changes a register: a row is made, changed, put out of use and into it, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import errors as pg
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from demeter.core.errors import error_sentence
from demeter.core.http.etags import require_match
from demeter.core.notices import Notice
from demeter.core.registers import queries
from demeter.core.registers.description import Register
from demeter.core.registers.errors import (
    CannotRetire,
    CodeTaken,
    InUse,
    ReferenceNotFound,
    RuleBroken,
)
from demeter.core.registers.holders import holders


def create_row(session: Session, register: Register, body: BaseModel) -> Any:
    """A new row.

    Raises:
        CodeTaken: another row has its code.
        ReferenceNotFound: a field names what is not there.
        RuleBroken: a rule of the table forbids it, or one of ``register.refusals``.
    """
    values = _column_values(session, register, body, set(type(body).model_fields))
    _require_free(session, register, values, None)
    with _refusals(register):
        with session.begin_nested():
            row = register.model(**{n: v for n, v in values.items() if v is not None})
            _keep_rules(session, register, row)
            session.add(row)
            session.flush()
        session.refresh(row)
    return row


def change_row(
    session: Session,
    register: Register,
    key: str | int,
    body: BaseModel,
    *,
    if_match: str | None = None,
) -> Any:
    """A row with what is given of ``body``; the rest stays.

    Raises:
        RowNotFound: there is none.
        RowChanged: it is not what ``if_match`` is the ETag of; it shows both.
        CodeTaken, ReferenceNotFound, RuleBroken: as `create_row`.
    """
    row = queries.find_row(session, register, key, lock=True)
    require_match(queries.read_row(session, register, row), if_match, str(key), body)
    values = _column_values(session, register, body, body.model_fields_set)
    _require_free(session, register, values, row)
    with _refusals(register), session.begin_nested():
        for name, value in values.items():
            setattr(row, name, value)
        _keep_rules(session, register, row)
        session.flush()
    return row


def set_active(session: Session, register: Register, key: str | int, *, active: bool) -> Any:
    """A row out of use, or in use again; what has happened with it stays.

    Raises:
        RowNotFound: there is none.
        CannotRetire: rows of this table are not in use or out of it.
    """
    row = queries.find_row(session, register, key, lock=True)
    if not register.can_retire:
        raise CannotRetire(f"{register.table} has nothing that says so", table=register.table)
    with _refusals(register), session.begin_nested():
        if register.switch is not None:
            register.switch(row, active)
        else:
            row.active = active
        _keep_rules(session, register, row)
        session.flush()
    return row


def delete_row(
    session: Session, register: Register, key: str | int, *, if_match: str | None = None
) -> None:
    """A row that nothing holds is deleted.

    Raises:
        RowNotFound: there is none.
        RowChanged: it is not what ``if_match`` is the ETag of.
        InUse: it names the tables that hold it, and how many rows of each.
    """
    row = queries.find_row(session, register, key, lock=True)
    require_match(queries.read_row(session, register, row), if_match, str(key))
    held_by = holders(session, register.table, getattr(row, register.id))
    if held_by:
        held = [Notice("held_by", {"rows": n, "kind": table}) for table, n in held_by.items()]
        raise InUse(Notice("in_use", {"name": str(key), "holders": held}), held_by=held_by)
    with _refusals(register), session.begin_nested():
        session.delete(row)
        session.flush()


def _column_values(
    session: Session, register: Register, body: BaseModel, names: set[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in type(body).model_fields:
        if name in names:
            value, form = getattr(body, name), register.fields.get(name)
            values[register.attribute_of(name)] = (
                form.to_column(session, name, value) if form else value
            )
    return values


def _keep_rules(session: Session, register: Register, row: Any) -> None:
    with session.no_autoflush:
        for rule in register.rules:
            rule(session, row)


def _require_free(session: Session, register: Register, values: dict[str, Any], row: Any) -> None:
    if register.key is None or register.key not in values:
        return
    name = values[register.key]
    other = session.scalar(
        select(register.model).where(getattr(register.model, register.key) == name)
    )
    if other is not None and other is not row:
        raise _taken(register, str(name))


def _taken(register: Register, name: str) -> CodeTaken:
    return CodeTaken(
        Notice("code_taken", {"name": name, "kind": register.table}), table=register.table
    )


@contextmanager
def _refusals(register: Register) -> Iterator[None]:
    """Let what the database refuses be an error with a name."""
    try:
        yield
    except IntegrityError as error:
        raise _refusal(register, error) from error


def _refusal(register: Register, error: IntegrityError) -> Exception:
    cause = error.orig
    if not isinstance(cause, pg.Error):
        return error
    constraint = cause.diag.constraint_name or ""
    if constraint in register.refusals:
        return register.refusals[constraint](error_sentence(cause), constraint=constraint)
    for kind, make in _BY_KIND.items():
        if isinstance(cause, kind):
            return make(register, cause)
    return error


def _from_unique(register: Register, cause: pg.Error) -> Exception:
    return _taken(register, cause.diag.constraint_name or "")


def _from_reference(register: Register, cause: pg.Error) -> Exception:
    if cause.diag.table_name == register.table:
        return ReferenceNotFound(error_sentence(cause), table=register.table)
    held_by = {cause.diag.table_name or "": 1}
    return InUse(error_sentence(cause), held_by=held_by)


def _from_rule(register: Register, cause: pg.Error) -> Exception:
    return RuleBroken(
        Notice(
            "rule_broken",
            {"rule": cause.diag.constraint_name or "", "kind": register.table},
        ),
        constraint=cause.diag.constraint_name,
    )


_BY_KIND: dict[type[pg.Error], Callable[[Register, pg.Error], Exception]] = {
    pg.UniqueViolation: _from_unique,
    pg.ForeignKeyViolation: _from_reference,
    pg.RestrictViolation: _from_reference,
    pg.CheckViolation: _from_rule,
    pg.NotNullViolation: _from_rule,
}
