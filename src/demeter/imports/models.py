"""An import with its files and rows, and the columns that a nursery's files have."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from demeter.core.db import Base, ChangedRow, CreatedRow


class ImportStatus(StrEnum):
    """Where an import stands."""

    PREVIEWED = "previewed"
    APPLIED = "applied"
    UNDONE = "undone"
    CANCELLED = "cancelled"


class ImportRun(ChangedRow, Base):
    """An import: what is to be made of some files, and what was."""

    __tablename__ = "import_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    title: Mapped[str | None]
    mapping: Mapped[list[Any]] = mapped_column(JSONB)
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    warnings: Mapped[list[Any]] = mapped_column(JSONB)
    outline: Mapped[list[Any] | None] = deferred(mapped_column(JSONB(none_as_null=True)))
    journal: Mapped[list[Any]] = deferred(mapped_column(JSONB))
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("import_profiles.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    applied_at: Mapped[datetime | None]
    applied_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undone_at: Mapped[datetime | None]
    undone_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ImportedFile(CreatedRow, Base):
    """A file as it was sent."""

    __tablename__ = "import_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class ImportRow(Base):
    """A row of a file with its verdict."""

    __tablename__ = "import_rows"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"))
    position: Mapped[int]
    ref: Mapped[str]
    source: Mapped[str]
    row_number: Mapped[int]
    subject: Mapped[str]
    code: Mapped[str | None]
    name: Mapped[str]
    verdict: Mapped[str]
    outcome: Mapped[str | None]
    needs_choice: Mapped[bool]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ImportProfile(ChangedRow, Base):
    """The columns of a kind of file, under a name, for the next file of the kind."""

    __tablename__ = "import_profiles"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    mapping: Mapped[list[Any]] = mapped_column(JSONB)
