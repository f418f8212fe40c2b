"""What people type into the fields of a register, in a form or a command, as values."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from demeter.core.errors import InvalidInput
from demeter.core.fields import DIGITS
from demeter.core.notices import Notice
from demeter.core.registers.description import Register, RowReference

LONG = 300  # characters, from which on a text has a field of several lines
YES, NO = ("true", "yes", "sí", "si", "on", "1"), ("false", "no", "off", "0")
_MAY_BE_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


class FieldsWrong(InvalidInput):
    """Fields of a form or a command are wrong; ``faults`` has a word for each."""

    code = "fields_wrong"
    title = "Some fields are wrong"
    next_action = "Correct the fields that are named."


class EntryKind(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    PROSE = "prose"
    WHOLE = "whole"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    DAY = "day"
    ROW = "row"  # the name of a row of another table
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One field to fill in; ``choices`` are all that may be chosen."""

    name: str
    kind: EntryKind
    required: bool
    most_characters: int | None
    choices: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The choices, each with itself as what it is called."""
        return [(choice, choice) for choice in self.choices]


def entries(register: Register) -> list[FieldEntry]:
    """The fields of a register, in the order of its description."""
    return [_entry(register, name, info) for name, info in register.create.model_fields.items()]


def parse_entries(schema: type[BaseModel], texts: Mapping[str, str]) -> Any:
    """The schema filled with what was typed; a blank is nothing.

    Raises:
        FieldsWrong: it names each field that is wrong, missing or not known.
    """
    values: dict[str, Any] = {}
    for name, typed in texts.items():
        info = schema.model_fields.get(name)
        values[name] = typed if info is None else _value(info, typed.strip())
    try:
        return schema.model_validate(
            {n: v for n, v in values.items() if v is not None or not _is_needed(schema, n)}
        )
    except ValidationError as error:
        faults = {str(fault["loc"][0]): _fault(schema, fault) for fault in error.errors()}
        raise FieldsWrong(
            Notice("fields_wrong", {"fields": ", ".join(sorted(faults))}), faults=faults
        ) from error


def entry_text(value: Any) -> str:  # noqa: PLR0911  a line a kind of value
    """A value as it stands in a field to be changed."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
        case Enum():
            return str(value.value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False) if value else ""
        case BaseModel():
            return value.model_dump_json()
        case _:
            return str(value)


def _entry(register: Register, name: str, info: FieldInfo) -> FieldEntry:
    kinds = list(_plain_types(info.annotation))
    form = register.fields.get(name)
    most = next((m for m in _limits(info) if m is not None), None)
    if isinstance(form, RowReference):
        return FieldEntry(name, EntryKind.ROW, info.is_required(), most)
    return FieldEntry(name, _kind(kinds, most), info.is_required(), most, tuple(_choices(kinds)))


def _kind(kinds: list[Any], most: int | None) -> EntryKind:
    for plain, kind in (
        (bool, EntryKind.SWITCH),
        (int, EntryKind.WHOLE),
        (Decimal, EntryKind.NUMBER),
        (float, EntryKind.NUMBER),
        (date, EntryKind.DAY),
        (dict, EntryKind.JSON),
    ):
        if plain in kinds:
            return kind
    if list(_choices(kinds)):
        return EntryKind.CHOICE
    if any(isinstance(k, type) and issubclass(k, BaseModel) for k in kinds):
        return EntryKind.JSON
    return EntryKind.PROSE if most is not None and most > LONG else EntryKind.LINE


def _choices(kinds: list[Any]) -> Iterator[str]:
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            yield from (str(member.value) for member in kind)
        elif get_origin(kind) is Literal:
            yield from (str(value) for value in get_args(kind))


def _plain_types(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain_types(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _plain_types(part)
    elif origin in (dict, list):
        yield dict
    elif annotation is not type(None):
        yield annotation


def _limits(info: FieldInfo) -> Iterator[int | None]:
    inner = [
        a for p in get_args(info.annotation) if get_origin(p) is Annotated for a in get_args(p)
    ]
    metadata = [*info.metadata, *(m for a in inner[1:] for m in getattr(a, "metadata", [a]))]
    yield from (m.max_length for m in metadata if isinstance(m, MaxLen))


def _value(info: FieldInfo, typed: str) -> Any:
    """A JSON value where the text is plainly one; else the text, which is then refused."""
    kinds = list(_plain_types(info.annotation))
    if not typed:
        return None
    if bool in kinds and typed.lower() in (*YES, *NO):
        return typed.lower() in YES
    if int in kinds and DIGITS.fullmatch(typed):
        return int(typed)
    if Decimal in kinds or float in kinds:
        # 1.250 may be a thousand and 1,250 as well: neither is guessed.
        return "?" if _MAY_BE_THOUSANDS.fullmatch(typed) else typed.replace(",", ".")
    return _parsed_json(typed) if dict in kinds or _has_model(kinds) else typed


def _has_model(kinds: list[Any]) -> bool:
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _parsed_json(typed: str) -> Any:
    try:
        return json.loads(typed)
    except ValueError:
        return typed


def _is_needed(schema: type[BaseModel], name: str) -> bool:
    """Whether a blank means the default: null is for fields that may be empty."""
    info = schema.model_fields.get(name)
    return info is None or type(None) not in get_args(info.annotation)


def _fault(schema: type[BaseModel], fault: Any) -> str:
    """The word for what is wrong with a field."""
    info = schema.model_fields.get(str(fault["loc"][0]))
    if info is None:
        return "unknown"
    if fault["type"] == "missing":
        return "missing"
    most = next((m for m in _limits(info) if m is not None), None)
    return _kind(list(_plain_types(info.annotation)), most).value
