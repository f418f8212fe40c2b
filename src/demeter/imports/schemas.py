"""Imports as they come in and go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from demeter.core.fields import IS_NUMBER
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.plans import Choices, Doubt, RowVerdict
from demeter.core.notices import Notice
from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output
from demeter.imports.models import ImportStatus

KindName = Literal["places", "prices", "species", "trays", "products", "people"]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Outcome = Literal["created", "changed", "same", "joined", "left", "refused"]


class ColumnMapping(Input):
    """How one layer or table is read."""

    name: Word
    level: Literal["warehouse", "area", "location"] | None = None
    heading_row: Annotated[int | None, Field(ge=0, le=1000), IS_NUMBER] = None
    columns: dict[Word, Word] = Field(default_factory=dict, max_length=50)

    def as_value(self) -> SourceMapping:
        """As the machinery takes it."""
        return SourceMapping(self.name, self.level, self.heading_row, self.columns)


class ChoicesGiven(Input):
    """What a person decides: kinds of doubt, and rows by their ``ref``."""

    accept: list[Doubt] = Field(default_factory=list, max_length=10)
    rows: dict[Word, Word] = Field(
        default_factory=dict, max_length=50_000, description="`take`, `leave`, `new`, `join:CODE`"
    )

    def as_value(self) -> Choices:
        """As the machinery takes it."""
        return Choices(frozenset(self.accept), self.rows)


class ImportUpdate(Input):
    """What is to change of a preview; what is absent stays."""

    mapping: list[ColumnMapping] | None = Field(default=None, max_length=50)
    choices: ChoicesGiven | None = None


class ImportApply(Input):
    """Carry it out. What is decided here comes on top of what was decided before."""

    accept: list[Doubt] = Field(default_factory=list, max_length=10)
    leave_undecided: bool = Field(
        default=False, description="rows that nobody decided about are left out and listed"
    )


class SourceRead(Output):
    """A layer or table of the files, for whoever says which column is which."""

    name: str
    columns: dict[str, str]
    examples: dict[str, list[str]]
    rows: int


class MappingRead(Output):
    """How one layer or table is read."""

    name: str
    level: str | None
    heading_row: int | None
    columns: dict[str, str]


class ImportCounts(Output):
    """How many rows there are of each kind: the first four add up to ``rows``."""

    new: int
    changed: int
    same: int
    refused: int
    rows: int
    needs_choice: int = Field(description="of the new and changed ones")
    overlaps: int = Field(description="pairs of beds that overlap")
    written: int | None = Field(description="null until it was carried out")
    left: int | None = Field(description="rows that nobody took; null until it was carried out")


class ImportRead(Output):
    """An import: its files, what its rows would become, and what became of them."""

    id: int
    kind: KindName
    status: ImportStatus
    title: str | None
    files: list[str]
    profile: str | None
    mapping: list[MappingRead]
    fields: list[str]
    counts: ImportCounts
    by_subject: dict[str, dict[str, int]] = Field(description="rows of each verdict by table")
    accepted: list[Doubt]
    warnings: list[Notice]
    user: str
    created_at: datetime
    applied_at: datetime | None
    applied_by: str | None
    undone_at: datetime | None


class ImportRowRead(Output):
    """A row of a file with its verdict, and what became of it."""

    position: int
    ref: str
    source: str
    row: int
    subject: str
    code: str | None
    name: str
    verdict: RowVerdict
    needs_choice: bool
    options: list[str]
    chosen: str | None
    doubts: list[Doubt]
    reasons: list[str] = Field(description="English; `notices` say the same")
    notices: list[Notice]
    values: dict[str, Any]
    before: dict[str, Any]
    outcome: Outcome | None = Field(description="null until it was carried out")


class ImportRowPage(Page[ImportRowRead]):
    """A page of rows."""


class ImportPage(Page[ImportRead]):
    """A page of imports."""


class ImportReport(Output):
    """An import with all its rows: what a command prints."""

    import_: ImportRead = Field(serialization_alias="import")
    rows: list[ImportRowRead]


class ProfileCreate(Input):
    """The columns of an import, remembered under a name."""

    name: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$")
    ]
    import_id: Annotated[int, Field(ge=1, le=2**62), IS_NUMBER]


class ProfileRead(Output):
    """A remembered set of columns."""

    name: str
    kind: KindName
    mapping: list[MappingRead]
    created_at: datetime
    updated_at: datetime | None
