"""How a table of master data is described, once; services, routes, commands and pages follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel
from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from demeter.core.errors import DomainError
from demeter.core.notices import Notice
from demeter.core.pagination import Page
from demeter.core.permissions import Permission
from demeter.core.registers import schemas
from demeter.core.registers.errors import ReferenceNotFound

MOST_NAMED = 5


class FieldForm(Protocol):
    """A field that is not stored as it is written: it has its own way in and out."""

    @property
    def attribute(self) -> str:
        """The model's attribute behind it."""
        ...

    def expression(self, model: type[Any]) -> ColumnElement[Any]:
        """What is read for it, in SQL."""
        ...

    def from_column(self, value: Any) -> Any:
        """What is shown of what was read."""
        ...

    def to_column(self, session: Session, name: str, value: Any) -> Any:
        """What is stored of what was written in the field ``name``."""
        ...


@dataclass(frozen=True, slots=True)
class RowReference:
    """A row of another table: people name it by ``target``, such as ``Product.code``."""

    attribute: str
    target: InstrumentedAttribute[Any]

    def expression(self, model: type[Any]) -> ColumnElement[Any]:
        """The name of the row that is referred to."""
        other = aliased(self.target.class_)
        number = getattr(other, primary_key(self.target.class_))
        query = select(getattr(other, self.target.key))
        return query.where(number == getattr(model, self.attribute)).scalar_subquery()

    def from_column(self, value: Any) -> Any:
        """The name as it is."""
        return value

    def to_column(self, session: Session, name: str, value: Any) -> Any:
        """The number of the row that has this name.

        Raises:
            ReferenceNotFound: none has; it says which are called something like it.
        """
        if value is None:
            return None
        number = getattr(self.target.class_, primary_key(self.target.class_))
        row_id = session.scalar(select(number).where(self.target == value))
        if row_id is None:
            names = [str(n) for n in session.scalars(select(self.target).limit(5000))]
            nearest = get_close_matches(str(value), names, MOST_NAMED, cutoff=0.3)
            raise ReferenceNotFound(
                Notice(
                    "reference_not_found",
                    {"name": str(value), "kind": self.target.class_.__tablename__},
                ),
                field=name,
                table=self.target.class_.__tablename__,
                nearest=nearest,
            )
        return row_id


Rule = Callable[[Session, Any], None]


@dataclass(frozen=True, kw_only=True)
class Register:
    """One table of master data.

    ``name`` stands in addresses and commands, ``room`` before it. ``create`` is what comes in;
    what comes out and what changes it follow from it, unless ``shows`` says otherwise. ``key``
    is the field by which people name a row; without one it is named by its number.

    ``fields`` are those with a way of their own in and out. ``filters`` are fields that a list
    can be narrowed by, ``columns`` those that a list shows. ``rules`` are asked before a row is
    written. ``switch`` puts a row out of use and into it, where ``active`` does not say that.
    ``visible`` says which rows may be seen. ``refusals`` are errors by the constraint of the
    database that they come from.
    """

    name: str
    room: str
    model: type[Any]
    create: type[BaseModel]
    key: str | None = "code"
    fields: Mapping[str, FieldForm] = field(default_factory=dict)
    search: tuple[str, ...] = ("code", "name")
    filters: tuple[str, ...] = ()
    order: str | None = None
    columns: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    writes: Permission = Permission.ADMINISTER
    deletes: Permission = Permission.ADMINISTER
    read_only: bool = False
    visible: Callable[[], ColumnElement[bool]] | None = None
    rules: tuple[Rule, ...] = ()
    switch: Callable[[Any, bool], None] | None = None
    refusals: Mapping[str, type[DomainError]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table's name in the database."""
        return self.model.__tablename__

    @cached_property
    def id(self) -> str:
        """The attribute of its number."""
        return primary_key(self.model)

    @property
    def has_active(self) -> bool:
        """Whether a column of its rows says that they are in use."""
        return "active" in inspect(self.model).column_attrs

    @property
    def can_retire(self) -> bool:
        """Whether its rows can be put out of use; others can only be deleted."""
        return self.has_active or self.switch is not None

    @cached_property
    def changes(self) -> type[BaseModel]:
        """What changes a row: any of its fields."""
        return schemas.change_schema(self.create)

    @cached_property
    def read(self) -> type[BaseModel]:
        """What is shown of a row."""
        return schemas.read_schema(self.create, self.model, self.extra)

    @cached_property
    def page(self) -> type[Page[Any]]:
        """A page of rows."""
        return schemas.page_schema(self.read)

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/api/v1/{self.room}/{self.name}"

    def attribute_of(self, name: str) -> str:
        """The model's attribute behind a field."""
        return self.fields[name].attribute if name in self.fields else name


def primary_key(model: type[Any]) -> str:
    """The attribute of a table's number."""
    mapper = inspect(model)
    return mapper.get_property_by_column(mapper.primary_key[0]).key
