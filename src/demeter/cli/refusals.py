"""Which errors of a command are refusals: said in a line, without a traceback."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from demeter.core import database_errors, logs
from demeter.core.errors import DomainError

log = logs.get(__name__)


def refusal_of(error: Exception) -> DomainError | None:
    """What a person is told instead of a traceback; ``None`` for a fault of the program."""
    return database_errors.refusal_of(error)


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
