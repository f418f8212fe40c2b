"""What an import would do: a verdict for each row of its files, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demeter.core.notices import Notice

TAKE, LEAVE, AS_NEW = "take", "leave", "new"
JOIN = "join:"  # followed by the code of what the row is joined with


class RowVerdict(StrEnum):
    """What a row is to what is stored."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class Doubt(StrEnum):
    """Why a person decides about a row."""

    OVERLAP = "overlap"
    OUTSIDE = "outside"
    SELF_CROSSING = "self_crossing"
    SWAPPED = "swapped"
    NO_SHAPE = "no_shape"
    SPELLING = "spelling"


# What `--yes` and the one button accept; the others are decided row by row.
ACCEPTED_AT_ONCE = frozenset((Doubt.OVERLAP, Doubt.OUTSIDE, Doubt.SPELLING))


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decided: kinds of doubt that they accept, and single rows by their ``ref``."""

    accepted: frozenset[Doubt] = frozenset()
    by_row: Mapping[str, str] = field(default_factory=dict)

    def of(self, ref: str, doubts: frozenset[Doubt], options: tuple[str, ...]) -> str | None:
        """What is decided about a row; ``None`` while nothing is."""
        single = self.by_row.get(ref)
        if single in options:
            return single
        return options[0] if options and doubts and doubts <= self.accepted else None


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of a file: what it would become, and what there is to say about it.

    ``ref`` names it within the import. A row with ``options`` waits for a person until one of
    them is ``chosen``; the first is what is proposed. ``values`` are what would be written,
    ``before`` what stands there now, of a row that changes.
    """

    ref: str
    source: str
    row: int
    subject: str  # the table
    code: str | None
    name: str
    verdict: RowVerdict
    notices: tuple[Notice, ...] = ()
    doubts: frozenset[Doubt] = frozenset()
    options: tuple[str, ...] = ()
    chosen: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_undecided(self) -> bool:
        """Whether a person has to decide before it can be written."""
        return bool(self.options) and self.chosen is None

    @property
    def is_written(self) -> bool:
        """Whether carrying out the import writes it."""
        changes = self.verdict in (RowVerdict.NEW, RowVerdict.CHANGED)
        return changes and not self.is_undecided and self.chosen != LEAVE

    @property
    def joins(self) -> str | None:
        """The code of what a person joined it with."""
        is_joined = self.chosen is not None and self.chosen.startswith(JOIN)
        return self.chosen.removeprefix(JOIN) if is_joined and self.chosen else None


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows of an import in the order in which they are written, and what else is odd."""

    rows: tuple[PlannedRow, ...]
    warnings: tuple[Notice, ...] = ()
    title: str | None = None  # what the file calls itself
    rests_on: Mapping[str, Any] = field(default_factory=dict)  # for whoever writes the rows
