"""What a register takes and gives, made from what a new row of it takes."""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, create_model
from sqlalchemy import inspect

from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output


def _nothing() -> Any:
    """The default of a field that may be left out, and that is no value of it."""
    return None


def change_schema(create: type[BaseModel]) -> type[BaseModel]:
    """The same fields, each of which may be left out; null empties those that may be empty."""
    fields: dict[str, Any] = {
        name: (
            Annotated[info.annotation, *info.metadata, Field(description=info.description)],
            Field(default_factory=_nothing),
        )
        for name, info in create.model_fields.items()
    }
    name = f"{_noun(create)}Update"
    return create_model(
        name, __base__=Input, __doc__="What is to change; the rest stays.", **fields
    )


def read_schema(
    create: type[BaseModel], model: type[Any], extra: Mapping[str, Any]
) -> type[BaseModel]:
    """The same fields as they are stored, whatever wrote them, with number and moments."""
    columns = inspect(model).column_attrs
    fields: dict[str, Any] = {"id": (int, ...)}
    for name, info in create.model_fields.items():
        fields[name] = (_without_limits(info.annotation), Field(description=info.description))
    fields |= {name: (kind, ...) for name, kind in extra.items()}
    if "active" in columns:
        fields["active"] = (bool, ...)
    fields["created_at"] = (datetime, ...)
    if "updated_at" in columns:
        fields["updated_at"] = (datetime | None, Field(description="null: never changed"))
    return create_model(
        f"{_noun(create)}Read",
        __base__=Output,
        __doc__=f"{create.__doc__} As it is stored.",
        **fields,
    )


def page_schema(read: type[BaseModel]) -> type[Page[Any]]:
    """A page of what is read."""
    name = f"{read.__name__.removesuffix('Read')}Page"
    return create_model(name, __base__=Page[read], __doc__="A page of rows.")  # type: ignore[valid-type]


def _noun(create: type[BaseModel]) -> str:
    return create.__name__.removesuffix("Create").removesuffix("Row")


def _without_limits(annotation: Any) -> Any:
    """The plain type: what SQL wrote is shown also where the API would refuse it."""
    if get_origin(annotation) is Annotated:
        return _without_limits(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[tuple(_without_limits(part) for part in get_args(annotation))]  # noqa: UP007
    return annotation
