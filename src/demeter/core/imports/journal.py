"""What an import wrote, row by row, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A row that was made (``before`` is ``None``) or changed, and its values on both sides."""

    table: str
    key: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(slots=True)
class Journal:
    """Notes what is written, in its order."""

    entries: list[JournalEntry] = field(default_factory=list)
    made: list[Any] = field(default_factory=list)

    def create(self, session: Session, row: Any) -> Any:
        """Add a row; its key is noted once the import has been flushed."""
        session.add(row)
        self.made.append(row)
        return row

    def change(self, row: Any, values: Mapping[str, Any]) -> None:
        """Set values of a row and note what they were; shapes are noted as WKT by the writer."""
        before = {name: plain(getattr(row, name)) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        after = {name: plain(value) for name, value in values.items()}
        self.entries.append(JournalEntry(row.__tablename__, _key(row), before, after))

    def close(self) -> list[JournalEntry]:
        """All entries; what was made has its key by now."""
        insertions = [JournalEntry(row.__tablename__, _key(row), None, {}) for row in self.made]
        return [*self.entries, *insertions]


def plain(value: Any) -> Any:
    """A value as JSON keeps it; a shape as its hexadecimal WKB."""
    if value is None or isinstance(value, bool | int | float | str | dict | list):
        return getattr(value, "value", value)
    if hasattr(value, "desc"):
        import shapely  # noqa: PLC0415  most imports know no shapes

        return shapely.from_wkb(bytes(value.data)).wkb_hex
    return str(value)


def _key(row: Any) -> int:
    (key,) = inspect(type(row)).primary_key_from_instance(row)
    return int(key)
