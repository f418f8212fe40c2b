"""The texts of each language, and how notices are worded with them.

A text has blanks in braces. A number in one is written as the language writes numbers; a
format after a colon says more:

| Blank | Filled with |
|---|---|
| ``{plants}`` | a number as people write it, a word as it is, notices worded and joined by ";" |
| ``{session_id:id}`` | a number as it is: it names something |
| ``{share:percent}``, ``{change:signed}`` | a share from 0 to 1; a number with its sign |
| ``{at:moment}``, ``{at:day}`` | an ISO 8601 moment at the site's time, or its day |
| ``{kind:movement}`` | the text ``movement.KIND``: any other format is a table of texts |

Where a sentence changes with a number, its text is a table: ``by`` names the number,
``one`` and ``other`` are the sentences.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from demeter.core.formats import Numbers, Times
from demeter.core.notices import Notice

LANGUAGES = ("es", "en")
SHARED = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by dotted key."""

    language: str
    by_key: Mapping[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text of a key with its blanks filled in.

        Raises:
            KeyError: there is no such text; a test looks for every key in both languages.
        """
        return _Blanks(self).vformat(self._text(key, values), (), values)

    def get(self, key: str, otherwise: str) -> str:
        """The text of a key that may be unknown, such as an error's code."""
        return self.by_key.get(key, otherwise)

    def word(self, notice: Notice | Mapping[str, Any]) -> str:
        """A notice, or its JSON, as a sentence.

        Raises:
            KeyError: its code has no text; a test looks for every code in both languages.
        """
        notice = Notice.from_json(notice)
        return self(f"notice.{notice.code}", **notice.params)

    def reason(self, code: str, otherwise: str) -> str:
        """Why a session waits or failed, as a heading; an error's title where it is one."""
        return self.get(f"reason.{code}", self.get(f"error.{code}.title", otherwise))

    def next_action(self, code: str, otherwise: str) -> str:
        """What to do about a session that waits or failed, by its ``reason_code``."""
        return self.get(f"next.{code}", self.get(f"error.{code}.action", otherwise))

    def problems(self) -> dict[str, dict[str, str]]:
        """Title and action of each error by its code, for scripts that show one."""
        problems: dict[str, dict[str, str]] = {}
        for key, text in self.by_key.items():
            parts = key.split(".")
            if parts[0] == "error" and len(parts) == 3:  # noqa: PLR2004  error.CODE.part
                problems.setdefault(parts[1], {})[parts[2]] = text
        return problems

    def under(self, table: str) -> dict[str, str]:
        """The texts of a table by the rest of their keys, for scripts that say them."""
        start = f"{table}."
        return {k.removeprefix(start): v for k, v in self.by_key.items() if k.startswith(start)}

    def _text(self, key: str, values: Mapping[str, Any]) -> str:
        counted = self.by_key.get(f"{key}.by")
        if counted is None:
            return self.by_key[key]
        return self.by_key[f"{key}.one" if abs(values[counted]) == 1 else f"{key}.other"]


class _Blanks(Formatter):
    """Fills the blanks of a text in its language."""

    def __init__(self, texts: Texts) -> None:
        number, time = Numbers(texts.language), Times(texts.language)
        self._texts, self._number = texts, number
        self._formats: dict[str, Callable[[Any], str]] = {
            "": self._plain,
            "id": str,
            "percent": number.percent,
            "signed": number.with_sign,
            "moment": lambda value: time(datetime.fromisoformat(value)),
            "day": lambda value: time.day(_day(value)),
        }

    def format_field(self, value: Any, format_spec: str) -> str:
        form = self._formats.get(format_spec)
        return form(value) if form else self._texts.by_key[f"{format_spec}.{value}"]

    def _plain(self, value: Any) -> str:
        if isinstance(value, Notice | Mapping):
            return self._texts.word(value)
        if isinstance(value, list | tuple):
            return "; ".join(self._plain(item) for item in value)
        if isinstance(value, int):
            return self._number(value)
        return self._number.decimal(value) if isinstance(value, float) else str(value)


@lru_cache
def read(language: str, *folders: Path) -> Texts:
    """The shared texts of a language with those of more folders, flattened to dotted keys.

    A folder has one file a language (``es.toml``), or one a room (``es/count.toml``).

    Raises:
        FileNotFoundError: a folder has no text of this language.
        ValueError: a text stands in two files.
    """
    by_key: dict[str, str] = {}
    for folder in (SHARED, *folders):
        for file in _files(folder, language):
            rows = dict(_flat(tomllib.loads(file.read_text())))
            twice = sorted(set(rows) & set(by_key))
            if twice:
                raise ValueError(f"{file} has texts again: {', '.join(twice)}")
            by_key |= rows
    return Texts(language, by_key)


def _files(folder: Path, language: str) -> list[Path]:
    rooms = sorted((folder / language).glob("*.toml"))
    return rooms or [folder / f"{language}.toml"]


def english(notice: Notice) -> str:
    """A notice in English: for the API, the log, and columns that other programs read."""
    return read("en").word(notice)


def next_action(reason_code: str) -> str:
    """In English, what to do about a session or a count that waits for this reason.

    Raises:
        KeyError: there is no such text; a test looks for every reason in both languages.
    """
    return read("en")(f"next.{reason_code}")


def english_each(notices: Iterable[Notice]) -> list[str]:
    """Notices in English, in their order."""
    return [english(notice) for notice in notices]


def _day(value: str) -> date:
    return date.fromisoformat(value) if "T" not in value else datetime.fromisoformat(value)


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return rows
