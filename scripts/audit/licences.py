"""Which licences are taken without a word, and each package that is an exception, with why."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from locks import Package

RULES = Path(__file__).with_name("licences.toml")
_WORD = re.compile(r"\(|\)|[^\s()]+")


def faults(packages: Iterable[Package], rules: Path = RULES) -> list[str]:
    """A line for each package whose licence is not allowed, and for each exception of nothing."""
    read = tomllib.loads(rules.read_text())
    allowed, exceptions = set(read["allowed"]), dict(read["exceptions"])
    found = []
    for package in packages:
        reason = exceptions.pop(package.name, None)
        if is_allowed(package.licence, allowed) or reason:
            continue
        licence = package.licence or "unknown"
        found.append(f"{package.name} {package.version}: its licence is {licence}")
    return [*found, *(f"{name}: an exception of no package" for name in sorted(exceptions))]


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be kept with allowed licences: one of OR, each of AND."""
    words = _WORD.findall(expression)
    return bool(words) and _any(words, allowed) and not words


def _any(words: list[str], allowed: set[str]) -> bool:
    is_met = _all(words, allowed)
    while words and words[0].upper() == "OR":
        words.pop(0)
        is_met = _all(words, allowed) or is_met
    return is_met


def _all(words: list[str], allowed: set[str]) -> bool:
    is_met = _one(words, allowed)
    while words and words[0].upper() == "AND":
        words.pop(0)
        is_met = _one(words, allowed) and is_met
    return is_met


def _one(words: list[str], allowed: set[str]) -> bool:
    if not words:
        return False
    word = words.pop(0)
    if word == "(":
        is_met = _any(words, allowed)
        if words:
            words.pop(0)
        return is_met
    if words and words[0].upper() == "WITH":  # an exception takes nothing away
        del words[:2]
    return word in allowed
