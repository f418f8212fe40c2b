"""Errors are facts with names: a status, a stable code, a sentence, and the numbers behind it."""

from __future__ import annotations

from typing import Any, ClassVar

from demeter.core.notices import AS_WRITTEN, Notice
from demeter.core.wording import english


class DomainError(Exception):
    """Something a person or a caller can act on.

    Subclasses fix ``status`` (HTTP), ``code`` (stable, part of the problem's ``type``) and
    ``title``; ``context`` carries the ids and numbers that explain this one case. What is
    raised with a notice can be said in each language; a sentence stays as it was written.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "domain_error"
    title: ClassVar[str] = "The request cannot be carried out"
    next_action: ClassVar[str] = ""
    # When trying again may help, where that is known: of the kind, or of this one case.
    retry_after_s: int | None = None

    def __init__(self, message: str | Notice, **context: Any) -> None:
        if isinstance(message, str):
            message = Notice(AS_WRITTEN, {"text": message})
        self.notice = message
        self.message = english(message)
        self.context = context
        self.retry_after_s = context.get("retry_after_s", type(self).retry_after_s)
        super().__init__(self.message)

    def problem(self) -> dict[str, Any]:
        """As an RFC 9457 problem; ``context`` becomes extension members."""
        body: dict[str, Any] = {
            "type": f"urn:demeter:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
        if self.next_action:
            body["next_action"] = self.next_action
        if self.notice.code != AS_WRITTEN:
            body["notice"] = self.notice.to_json()
        return body | {k: v for k, v in self.context.items() if k not in body}


class NotFound(DomainError):
    """A row that was asked for by id or code is not there."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """What was asked contradicts what is stored."""

    status = 409
    code = "conflict"
    title = "Conflicts with what is stored"


class InvalidInput(DomainError):
    """Input that can never succeed as it is."""

    status = 422
    code = "invalid_input"
    title = "The input is not valid"


class Unavailable(DomainError):
    """Something Demeter needs is out of reach now; trying again later may help."""

    status = 503
    code = "unavailable"
    title = "Not available at the moment"
    retry_after_s = 5


def chain(error: BaseException) -> str:
    """The error with its causes, outermost first, as one line for a log or a person.

    What a database said stands there once: the wrapper that the ORM puts around it, with its
    SQL and its advice, says nothing more.
    """
    parts: list[str] = []
    seen_ids: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen_ids:
        seen_ids.add(id(current))
        if not isinstance(getattr(current, "orig", None), BaseException):
            parts.append(f"{type(current).__name__}: {error_sentence(current)}")
        current = _cause_of(current)
    return " <- ".join(parts)


def error_sentence(error: BaseException) -> str:
    """What an error says, without a statement, its place in it, or an address for programmers."""
    text = str(error).strip() or "no message"
    for beginning in OF_PROGRAMMERS:
        text = text.partition(beginning)[0]
    return text.strip()


# As SQLAlchemy and PostgreSQL add them to what they say.
OF_PROGRAMMERS = ("[SQL:", "(Background on this error", "\nLINE ", "\nCONTEXT:")


def _cause_of(error: BaseException) -> BaseException | None:
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):
        return original
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)
