"""Names of products as people write them: one code for a name, and names that are nearly one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

MOST_CODE = 100
ALIKE = 0.88  # of two names, by difflib's ratio: `perdorata` and `perforata` have 0.89
SHORTEST = 5  # letters of a name that can be misspelt


def product_code(*names: str | None) -> str:
    """`mammillaria`, `bocasana splendens` is MAMMILLARIA-BOCASANA-SPLENDENS."""
    words = [word for name in names if name for word in plain_words(name)]
    return "-".join(words)[:MOST_CODE].rstrip("-")


def plain_words(name: str) -> list[str]:
    """The words of a name in capitals, without accents or marks."""
    apart = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in apart if not unicodedata.combining(c)).upper()
    return re.sub(r"[^A-Z0-9]+", " ", plain).split()


def full_name(genus: str, species: str | None) -> str:
    """Genus and species as one name, the genus with its capital."""
    words = " ".join(f"{genus} {species or ''}".split())
    return words[:1].upper() + words[1:]


def alike_codes(code: str, others: Iterable[str]) -> list[str]:
    """Codes that are nearly this one, the likeliest first, three at most.

    Names whose digits differ are meant to differ: `tipo cooperi 1` and `tipo cooperi 2`.
    """
    if len(code) < SHORTEST:
        return []
    digits = re.findall(r"[0-9]+", code)
    candidates = [o for o in others if o != code and re.findall(r"[0-9]+", o) == digits]
    return difflib.get_close_matches(code, candidates, n=3, cutoff=ALIKE)
