"""Which column of a file is which field: guessed from its title, shown, changed, remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from demeter.core.tabular.tables import plain_title


@dataclass(frozen=True, slots=True)
class SourceColumns:
    """A layer or table of a file: its columns, and what stands in the first rows of each."""

    name: str
    columns: Mapping[str, str]  # title, or a letter's examples, by what names the column
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    row_count: int = 0
    heading_row: int | None = None  # of tables: 0 where there is no heading


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """How one layer or table is read: ``columns`` has the column of each field."""

    name: str
    level: str | None = None  # of places: what its features are
    heading_row: int | None = None  # of tables: 0 where there is no heading
    columns: Mapping[str, str] = field(default_factory=dict)


def guess_columns(titles: Mapping[str, str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The column of each field by its title; ``names`` are titles of a field, likeliest first."""
    plain = {column: plain_title(title) for column, title in titles.items()}
    guess: dict[str, str] = {}
    for field_name, candidates in names.items():
        for candidate in candidates:
            column = next(
                (c for c, t in plain.items() if t == candidate and c not in guess.values()), None
            )
            if column is not None:
                guess[field_name] = column
                break
    return guess
