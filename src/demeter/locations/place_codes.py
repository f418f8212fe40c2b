"""Codes of places made from their names: the same name always makes the same code."""

from __future__ import annotations

import re
import unicodedata

MOST_CODE = 50
# What people call a part of a greenhouse before its own name: `Cantero Norte` is NORTE.
_OF_AREAS = frozenset("CANTERO SECTOR AREA ZONA BED SECTION".split())  # noqa: SIM905
_NUMBERED = re.compile(r"([A-Z]*) *0*([0-9]+)(.*)")
SIDES = {
    "NORTE": "N", "NORTH": "N", "SUR": "S", "SOUTH": "S", "ESTE": "E", "EAST": "E",
    "OESTE": "W", "WEST": "W", "CENTRO": "C", "CENTRE": "C", "CENTER": "C",
}  # fmt: skip


def warehouse_code(name: str) -> str:
    """`Nave 4` is NAVE4."""
    return _joined(_words(name))


def area_code(parent: str, name: str) -> str:
    """`Cantero Norte` of NAVE4 is NAVE4-NORTE; `Cantero 2` is NAVE4-CANTERO2."""
    words = _words(name)
    has_own_name = len(words) > 1 and words[0] in _OF_AREAS and not words[1][0].isdigit()
    return f"{parent}-{_joined(words[1:] if has_own_name else words)}"


def location_code(parent: str, name: str) -> str:
    """`Claro 7` of NAVE4-NORTE is NAVE4-NORTE-C07."""
    match = _NUMBERED.fullmatch(" ".join(_words(name)))
    if match is None:
        return f"{parent}-{_joined(_words(name))}"
    word, number, rest = match.groups()
    return f"{parent}-{word[:1]}{int(number):02d}{_joined(rest.split())}"


def side_of(name: str) -> str | None:
    """Where an area lies in its greenhouse, if its name says so."""
    sides = {SIDES[word] for word in _words(name) if word in SIDES}
    return sides.pop() if len(sides) == 1 else None


def plain_name(name: str) -> str:
    """A name as it is compared: capitals, accents and blanks make no difference."""
    return " ".join(_words(name))


def _words(name: str) -> list[str]:
    apart = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in apart if not unicodedata.combining(c)).upper()
    return re.sub(r"[^A-Z0-9]+", " ", plain).split()


def _joined(words: list[str]) -> str:
    return "".join(words)
