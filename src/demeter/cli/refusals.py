"""Which errors of a command are refusals: said in a line, without a traceback."""

from __future__ import annotations

import psycopg
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import ProgrammingError

from demeter.core import logs
from demeter.core.errors import DomainError, Unavailable

log = logs.get(__name__)


class SchemaOutdated(Unavailable):
    """The database has not been migrated to what this code expects."""

    code = "schema_outdated"
    title = "The database's schema is not up to date"
    next_action = "Run: demeter db migrate"


def refusal_of(error: Exception) -> DomainError | None:
    """What a person is told instead of a traceback; ``None`` for a fault of the program."""
    if isinstance(error, DomainError):
        return error
    missing = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
    if isinstance(error, ProgrammingError) and isinstance(error.orig, missing):
        return SchemaOutdated(str(error.orig).partition("\n")[0])
    return None


def report(refusal: DomainError, *, is_service: bool) -> None:
    """Say it on standard error with what to do about it; of a service, as its log is written."""
    if is_service and logs.is_json():
        facts = {"code": refusal.code, "title": refusal.title, "detail": refusal.message}
        log.error("refused", **facts, next_action=refusal.next_action)
        return
    err = Console(stderr=True, highlight=False)
    err.print(f"[red]{refusal.title}:[/red] {escape(refusal.message)}", soft_wrap=True)
    if refusal.next_action:
        err.print(f"→ {escape(refusal.next_action)}", soft_wrap=True)
