"""The shape of a kind of import: what a feature gives, so that the one machinery can run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from demeter.core.geo.unpacking import GeoFile
from demeter.core.imports.columns import SourceColumns, SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.plans import Choices, Plan
from demeter.core.permissions import Permission

ImportFile = GeoFile  # a name and bytes, whatever is in them
Files = list[ImportFile]


@dataclass(frozen=True, slots=True)
class ImportKind:
    """A kind of import.

    ``sources`` says what there is in the files, ``guess`` how it is to be read, ``plan`` what
    each row would become, and ``write`` carries out the rows that are to be written.
    """

    name: str
    permission: Permission
    fields: tuple[str, ...]
    required: tuple[str, ...]
    sources: Callable[[Files], list[SourceColumns]]
    guess: Callable[[Sequence[SourceColumns]], list[SourceMapping]]
    plan: Callable[[Session, Files, Sequence[SourceMapping], Choices], Plan]
    write: Callable[[Session, Plan, Journal], None]
    levels: tuple[str, ...] = ()
    outline: Callable[[Plan], list[dict[str, Any]]] | None = None  # shapes for a map
