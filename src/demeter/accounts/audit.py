"""Every change of master data and people is recorded where it is written, so none is forgotten.

A table is audited where its class says ``is_audited``. Secrets are noted as changed, not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import InstanceState, Mapper, Session
from sqlalchemy.orm.attributes import History

from demeter.accounts import identity
from demeter.accounts.models import AuditAct, AuditEntry

HIDDEN = frozenset({"hashed_password", "token_sha256", "secret", "previous_secret"})
# Of every row, or written by counting and not by people.
UNTOLD = frozenset(
    {"created_at", "updated_at", "last_login", "centroid", "area_m2", "photo_session_id"}
    | {"failing_since", "failures", "paused_until"}  # of a webhook: how sending goes
)


def install() -> None:
    """Record from now on; calling it again changes nothing."""
    if not event.contains(Session, "before_flush", _note_changes):
        event.listen(Session, "before_flush", _note_changes)
        event.listen(Session, "after_flush", _write_inserts)


def _note_changes(session: Session, *_: Any) -> None:
    for row in session.dirty:
        if _is_audited(row) and session.is_modified(row, include_collections=False):
            before, after = _difference(inspect(row))
            if after:
                session.add(_entry(row, AuditAct.UPDATE, before, after))
    for row in session.deleted:
        if _is_audited(row):
            session.add(_entry(row, AuditAct.DELETE, _values(row), None))


def _write_inserts(session: Session, *_: Any) -> None:
    """New rows get their key at the flush, so they are noted right after it."""
    rows = [row for row in session.new if _is_audited(row)]
    if rows:
        session.connection().execute(
            AuditEntry.__table__.insert(),  # type: ignore[attr-defined]  a table, not a subquery
            [_columns(row, AuditAct.INSERT, None, _values(row)) for row in rows],
        )


def _is_audited(row: object) -> bool:
    return getattr(type(row), "is_audited", False)


def _entry(
    row: Any, act: AuditAct, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> AuditEntry:
    return AuditEntry(**_columns(row, act, before, after))


def _columns(
    row: Any, act: AuditAct, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    acting = identity.current()
    return {
        "user_id": acting.user_id if acting else None,
        "act": act,
        "subject": row.__tablename__,
        "subject_key": _key(row),
        "before": before,
        "after": after,
    }


def _key(row: Any) -> str:
    """What people call the row where it has such a name, else its number."""
    for name in ("code", "username", "sku"):
        if getattr(row, name, None):
            return str(getattr(row, name))
    mapper: Mapper[Any] = inspect(type(row))
    return ",".join(str(value) for value in mapper.primary_key_from_instance(row))


def _names(row: Any) -> Iterator[str]:
    return (a.key for a in inspect(type(row)).column_attrs if a.key not in UNTOLD)


def _values(row: Any) -> dict[str, Any]:
    state: InstanceState[Any] = inspect(row)
    return {
        name: _shown(name, state.dict[name])
        for name in _names(row)
        if state.dict.get(name) is not None
    }


def _difference(state: InstanceState[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in _names(state.object):
        history: History = state.attrs[name].load_history()
        if history.has_changes():
            before[name] = _shown(name, history.deleted[0] if history.deleted else None)
            after[name] = _shown(name, history.added[0] if history.added else None)
    return before, after


def _shown(name: str, value: Any) -> Any:
    if name in HIDDEN:
        return "•••"
    if value is None or isinstance(value, bool | int | float | str | dict | list):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
