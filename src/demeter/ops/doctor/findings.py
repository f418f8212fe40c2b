"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from demeter.core.errors import DomainError, chain


class Verdict(StrEnum):
    """Unknown is neither good nor bad: what the check needs was itself not to be had."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One part: how it is, in words, and what to do where that is not well."""

    part: str
    verdict: Verdict
    found: str
    mend: str = ""


def ok(part: str, state: str) -> Finding:
    """The part is well."""
    return Finding(part, Verdict.OK, state)


def warning(part: str, state: str, mend: str) -> Finding:
    """It works, and will not for long or not for everything."""
    return Finding(part, Verdict.WARNING, state, mend)


def failure(part: str, state: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(part, Verdict.FAILED, state, mend)


def unknown(part: str, needs: str) -> Finding:
    """It could not be looked at."""
    return Finding(part, Verdict.UNKNOWN, f"not checked: {needs} is needed first")


def finding_of(part: str, check: Callable[[str], Finding], mend: str) -> Finding:
    """What a check finds; an error of any kind is a finding, too."""
    try:
        return check(part)
    except DomainError as error:
        return failure(part, chain(error), error.next_action or mend)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was found
        return failure(part, short_message(error), mend)


def short_message(error: Exception) -> str:
    """The error's kind and its first line; drivers say the rest at length."""
    first = (str(error).splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
