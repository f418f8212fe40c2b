"""The list of beds as pages show it: filtered, by greenhouse and area, with the round's next."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from demeter.counts.bed_list import BedRow, BedState

OPEN_HOUSES = 4  # unfinished ones that are open at first
MOST_OPEN_BEDS = 300  # all that is found is open, up to so many beds
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class BedFilter:
    """What the address asks for; what is empty leaves open."""

    warehouse: str = ""
    area: str = ""
    only: str = ""
    product: str = ""
    text: str = ""

    @property
    def is_any(self) -> bool:
        """Whether it leaves anything out."""
        return any((self.warehouse, self.area, self.only, self.product, self.text))

    def keep(self, rows: Sequence[BedRow]) -> list[BedRow]:
        """The beds that it asks for."""
        return [row for row in rows if self._has(row)]

    def _has(self, row: BedRow) -> bool:
        pairs = (
            (self.warehouse, row.warehouse_code),
            (self.area, row.area_code),
            (self.only, row.state.value),
            (self.product, row.product_code or ""),
        )
        is_here = all(wanted in ("", value) for wanted, value in pairs)
        return is_here and is_named(row, self.text)


@dataclass(frozen=True, slots=True)
class BedStrip:
    """An area's beds, in walking order."""

    code: str
    name: str
    beds: tuple[BedRow, ...]


@dataclass(frozen=True, slots=True)
class BedHouse:
    """A greenhouse: its strips and its sums; ``unknown`` beds are in no sum."""

    code: str
    name: str
    beds: int
    counted: int
    waiting: int
    plants: int | None
    unknown: int
    strips: tuple[BedStrip, ...]
    is_open: bool


def bed_houses(rows: Sequence[BedRow], asked: BedFilter) -> list[BedHouse]:
    """Beds in walking order, by greenhouse; finished ones are folded."""
    houses, unfinished = [], 0
    for (code, name), group in groupby(rows, key=lambda r: (r.warehouse_code, r.warehouse_name)):
        beds = list(group)
        counted = sum(bed.is_done for bed in beds)
        unfinished += counted < len(beds)
        is_open = counted < len(beds) and unfinished <= OPEN_HOUSES
        if asked.is_any:
            is_open = len(rows) <= MOST_OPEN_BEDS or unfinished <= OPEN_HOUSES
        known = [bed.plants for bed in beds if bed.plants is not None]
        houses.append(
            BedHouse(
                code=code,
                name=name,
                beds=len(beds),
                counted=counted,
                waiting=sum(bed.state is BedState.WAITS for bed in beds),
                plants=sum(known) if known else None,
                unknown=len(beds) - len(known),
                strips=tuple(_strips(beds)),
                is_open=is_open,
            )
        )
    return houses


def _strips(beds: Sequence[BedRow]) -> list[BedStrip]:
    """A house's areas; a word that all their names begin with is left out."""
    areas = groupby(beds, key=lambda bed: (bed.area_code, bed.area_name))
    strips = [(code, name, tuple(group)) for (code, name), group in areas]
    firsts = {name.partition(" ")[0] for _, name, _ in strips if " " in name}
    is_common = len(firsts) == 1 and all(" " in name for _, name, _ in strips) and len(strips) > 1
    return [
        BedStrip(code, name.partition(" ")[2] if is_common else name, group)
        for code, name, group in strips
    ]


def is_named(row: BedRow, typed: str) -> bool:
    """Whether every word that was typed is in what the bed is called: "n1 norte 8" is one."""
    words = _plain(typed).split()
    if not words:
        return True
    place = _plain(f"{row.warehouse_name} {row.area_name} {row.name}")
    names = [*place.split(), *_plain(row.code).split(), *_plain(row.product_name or "").split()]
    short = {a[0] + b for a, b in re.findall(r"([a-z]+) (\d+)", place)}
    return all(_is_in(word, names, short, row.number) for word in words)


def _is_in(word: str, names: Sequence[str], short: set[str], number: str) -> bool:
    if word.isdigit():
        return str(int(word)) == number
    return word in short or any(name.startswith(word) for name in names)


def _plain(words: str) -> str:
    """Without accents and capitals; what joins words is a blank."""
    bare = unicodedata.normalize("NFD", words.lower())
    letters = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", " ", letters)
