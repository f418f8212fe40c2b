"""When a name is what somebody typed: accents, case and short forms do not matter.

Words are compared by their beginning and numbers whole, in the order in which they are typed:
"n1 norte 8" is Claro 8 of Nave 1, Norte.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class NamePart:
    """A stretch of a name, and whether it is what was typed."""

    text: str
    is_typed: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """A word, a number, or a word and the number that stands right behind it."""

    word: str
    number: str

    @property
    def length(self) -> int:
        """How many words of a name it is."""
        return bool(self.word) + bool(self.number)

    def is_at(self, words: Sequence[str], at: int) -> bool:
        """Whether the name goes on so: its word by the beginning, its number whole."""
        if self.word and not words[at].startswith(self.word):
            return False
        if not self.number:
            return True
        behind = at + bool(self.word)
        return behind < len(words) and words[behind] == self.number


def fold(text: str) -> str:
    """Without accents and capitals; each character stays one character."""
    return "".join(_plain(character) for character in text)


@lru_cache(maxsize=20_000)  # a nursery's names are the same at each key that is pressed
def words_of(text: str) -> tuple[str, ...]:
    """Words and numbers of a name, folded; numbers without leading zeros: "C07" is c, 7."""
    found = re.findall(r"[^\W\d_]+|\d+", fold(text))
    return tuple(word.lstrip("0") or "0" if word.isdigit() else word for word in found)


def typed_words(text: str) -> tuple[Typed, ...]:
    """What was typed, at most eight words of it; "n1" is a word with its number."""
    found = re.finditer(r"([^\W\d_]*)(\d*)", fold(text))
    words = [Typed(match[1], match[2].lstrip("0") or match[2][:1]) for match in found if match[0]]
    return tuple(words[:MOST_WORDS])


def is_in_order(typed: Sequence[Typed], words: Sequence[str]) -> bool:
    """Whether what is typed follows one another in a name, with other words between."""
    at = 0
    for wanted in typed:
        while at < len(words) and not wanted.is_at(words, at):
            at += 1
        if at == len(words):
            return False
        at += wanted.length
    return True


def is_in_any_order(typed: Sequence[Typed], words: Sequence[str]) -> bool:
    """Whether each word typed is somewhere in a name."""
    return all(any(wanted.is_at(words, at) for at in range(len(words))) for wanted in typed)


def name_parts(text: str, typed: Sequence[Typed]) -> list[NamePart]:
    """A name in stretches, so that a page can mark those that were typed."""
    folded, parts, at = fold(text), [], 0
    for match in re.finditer(r"[^\W\d_]+|\d+", folded):
        length = _typed_length(match[0], typed)
        if length:
            parts.append(NamePart(text[at : match.start()], is_typed=False))
            parts.append(NamePart(text[match.start() : match.start() + length], is_typed=True))
            at = match.start() + length
    parts.append(NamePart(text[at:], is_typed=False))
    return [part for part in parts if part.text]


def _typed_length(word: str, typed: Sequence[Typed]) -> int:
    if word.isdigit():
        number = word.lstrip("0") or "0"
        return len(word) if any(wanted.number == number for wanted in typed) else 0
    lengths = (len(wanted.word) for wanted in typed if word.startswith(wanted.word))
    return max(lengths, default=0)


def _plain(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0].casefold()
    return base if len(base) == 1 else character
