"""What a rule or vision has to say to a person: a code and its facts; texts word it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

AS_WRITTEN = "as_written"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say, in no language: ``core.wording`` has a text for each code.

    ``params`` fill the text's blanks: numbers, words, moments in ISO 8601, other notices,
    or a list of notices. They are plain JSON, so that a notice can be stored and answered.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict, hash=False)

    def to_json(self) -> dict[str, Any]:
        """``{"code": …, "params": {…}}``, inner notices likewise."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: str | Mapping[str, Any] | Notice) -> Notice:
        """The inverse of `to_json`; a sentence stored before there were codes stays as it is."""
        if isinstance(stored, Notice):
            return stored
        if isinstance(stored, str):
            return Notice(AS_WRITTEN, {"text": stored})
        params = {name: _param(value) for name, value in stored["params"].items()}
        return cls(stored["code"], params)


def read_notice(stored: str | Mapping[str, Any] | None) -> Notice | None:
    """A stored notice, or ``None`` where nothing is to be said."""
    return Notice.from_json(stored) if stored else None


def read_notices(stored: Iterable[str | Mapping[str, Any]] | None) -> list[Notice]:
    """Stored notices in their order; none where nothing is stored."""
    return [Notice.from_json(item) for item in stored or ()]


def _param(value: Any) -> Any:
    if isinstance(value, Mapping) and "code" in value:
        return Notice.from_json(value)
    if isinstance(value, list | tuple):
        return [_param(item) for item in value]
    return value
