"""Which errors of a command are refusals: said in a line, without a traceback."""

from __future__ import annotations

import os

from rich.console import Console
from rich.markup import escape

from demeter.core import database_errors, logs
from demeter.core.errors import DomainError, InvalidInput, chain
from demeter.core.settings import settings

log = logs.get(__name__)


class FileUnusable(InvalidInput):
    """A file or directory that was named cannot be read or written."""

    code = "file_unusable"
    title = "A file cannot be used"
    next_action = "Check its name, and that you may read or write it."


class NotText(InvalidInput):
    """What was typed holds bytes that are no text."""

    code = "not_text"
    title = "This is no text"
    next_action = "Type it again; only names of files may be any bytes."


class UnexpectedError(DomainError):
    """A fault of the program, said in a line."""

    status = 500
    code = "unexpected_error"
    title = "Something went wrong that Demeter did not expect"
    next_action = "Run it again with DEMETER_LOG_LEVEL=DEBUG to see where, and report it."


def refusal_of(error: Exception) -> DomainError | None:
    """What a person is told instead of a traceback; ``None`` for a fault of the program."""
    refusal = database_errors.refusal_of(error)
    if refusal is not None:
        return refusal
    if isinstance(error, OSError) and error.filename is not None:
        return FileUnusable(f"{error.strerror}: {os.fsdecode(error.filename)}")
    if isinstance(error, UnicodeEncodeError):
        return NotText(f"{error.object!r} holds bytes that are no UTF-8")
    return None


def unexpected(error: Exception) -> DomainError:
    """A fault of the program in a line; with the level DEBUG also where it happened."""
    if settings().log_level.upper() == "DEBUG":
        log.critical("crashed", exc_info=error)
    return UnexpectedError(chain(error))


def report(refusal: DomainError, *, is_service: bool) -> None:
    """Say it on standard error with what to do about it; of a service, as its log is written."""
    if is_service and logs.is_json():
        facts = {"code": refusal.code, "title": refusal.title, "detail": refusal.message}
        log.error("refused", **facts, next_action=refusal.next_action)
        return
    err = Console(stderr=True, highlight=False)
    err.print(f"[red]{refusal.title}:[/red] {escape(_printable(refusal.message))}", soft_wrap=True)
    if refusal.next_action:
        err.print(f"→ {escape(refusal.next_action)}", soft_wrap=True)


def _printable(text: str) -> str:
    """A text whose bytes need be none, as names of files."""
    return text.encode(errors="backslashreplace").decode()
