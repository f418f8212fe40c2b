"""The OpenAPI document as its page shows it: operations by tag, and the schemas they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

PROBLEM = "application/problem+json"
NO_NUL = re.compile(r"^\^\[\^\\x00\][+*]\$$")  # a rule of ours that tells a reader nothing


@dataclass(frozen=True, slots=True)
class TypePart:
    """A piece of a type's name; ``schema`` is the schema that it links to, if it is one."""

    text: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a field; ``limits`` is its range, length and pattern."""

    name: str
    type: tuple[TypePart, ...]
    required: bool
    description: str
    limits: str
    default: str | None
    place: str  # query, path or header; of a field ""


@dataclass(frozen=True, slots=True)
class Example:
    """An example as indented JSON."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent or answered: as which media types, of which type, or with which fields."""

    status: str
    description: str
    media_types: tuple[str, ...]
    type: tuple[TypePart, ...]
    fields: tuple[Value, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; ``problems`` are the statuses of errors."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    roles: tuple[str, ...]
    parameters: tuple[Value, ...]
    body: Content | None
    answers: tuple[Content, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationGroup:
    """The operations of a tag."""

    tag: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A named schema: an object with fields, or a choice among values."""

    name: str
    description: str
    fields: tuple[Value, ...]
    type: tuple[TypePart, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole document."""

    version: str
    description: str
    groups: tuple[OperationGroup, ...]
    schemas: tuple[Schema, ...]


def reference(document: dict[str, Any]) -> Reference:
    """An OpenAPI 3.1 document, as `FastAPI.openapi` makes it, in the order it has."""
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            entry = _operation(method, path, operation)
            by_tag.setdefault(operation["tags"][0], []).append(entry)
    about = {tag["name"]: tag["description"] for tag in document.get("tags", [])}
    return Reference(
        version=document["info"]["version"],
        description=document["info"]["description"],
        groups=tuple(
            OperationGroup(tag, about.get(tag, ""), tuple(operations))
            for tag, operations in by_tag.items()
        ),
        schemas=tuple(
            _schema(name, schema)
            for name, schema in sorted(document["components"]["schemas"].items())
        ),
    )


def prose(text: str) -> list[list[str]]:
    """Paragraphs, each of them plain text and code by turns: what stood in backticks is code."""
    return [re.split(r"`+", " ".join(part.split())) for part in text.split("\n\n") if part.strip()]


def type_name(schema: dict[str, Any]) -> tuple[TypePart, ...]:
    """How a schema is called in one line: ``SessionRead | null``, ``list of integer``."""
    return tuple(_type_parts(schema))


def _operation(method: str, path: str, operation: dict[str, Any]) -> Operation:
    responses = operation["responses"].items()
    body = operation.get("requestBody")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        roles=tuple(operation.get("x-roles", ())),
        parameters=tuple(
            _value(
                parameter["name"],
                {**parameter["schema"], **_description(parameter)},
                required=parameter["required"],
                place=parameter["in"],
            )
            for parameter in operation.get("parameters", ())
        ),
        body=_content("", body) if body else None,
        answers=tuple(
            _content(status, response)
            for status, response in responses
            if PROBLEM not in response.get("content", {})
        ),
        problems=tuple(
            sorted(status for status, answer in responses if PROBLEM in answer.get("content", {}))
        ),
    )


def _content(status: str, response: dict[str, Any]) -> Content:
    content = response.get("content", {})
    media = next(iter(content.values()), {})
    schema = media.get("schema", {})
    examples = {name: example["value"] for name, example in media.get("examples", {}).items()}
    if "example" in media:
        examples[""] = media["example"]
    return Content(
        status=status,
        description=response.get("description", ""),
        media_types=tuple(content),
        type=type_name(schema) if schema and "properties" not in schema else (),
        fields=tuple(_fields(schema)),
        examples=tuple(
            Example(name, json.dumps(value, indent=2, ensure_ascii=False))
            for name, value in examples.items()
        ),
    )


def _schema(name: str, schema: dict[str, Any]) -> Schema:
    return Schema(
        name=name,
        description=schema.get("description", ""),
        fields=tuple(_fields(schema)),
        type=() if "properties" in schema else type_name(schema),
    )


def _fields(schema: dict[str, Any]) -> Iterator[Value]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield _value(name, field, required=name in required)


def _value(name: str, schema: dict[str, Any], *, required: bool, place: str = "") -> Value:
    return Value(
        name=name,
        type=type_name(schema),
        required=required,
        description=schema.get("description", ""),
        limits=", ".join(_limits(schema)),
        default=json.dumps(schema["default"]) if schema.get("default") is not None else None,
        place=place,
    )


def _description(parameter: dict[str, Any]) -> dict[str, str]:
    return {"description": parameter["description"]} if "description" in parameter else {}


def _type_parts(schema: dict[str, Any]) -> Iterable[TypePart]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [TypePart(name, name)]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return _joined([_type_parts(choice) for choice in choices], " | ")
    if "const" in schema:
        return [TypePart(json.dumps(schema["const"]))]
    if "enum" in schema:
        return [TypePart(" | ".join(json.dumps(value) for value in schema["enum"]))]
    return _json_type_parts(schema)


def _json_type_parts(schema: dict[str, Any]) -> Iterable[TypePart]:
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            items = [_type_parts(item) for item in schema["prefixItems"]]
            return [TypePart("["), *_joined(items, ", "), TypePart("]")]
        case "array":
            return [TypePart("list of "), *_type_parts(schema.get("items", {}))]
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return [TypePart("object of "), *_type_parts(schema["additionalProperties"])]
        case "string" if schema.get("format") == "binary" or "contentMediaType" in schema:
            return [TypePart("file")]
        case name:
            return [TypePart(schema.get("format") or name or "any")]


def _joined(items: Iterable[Iterable[TypePart]], separator: str) -> list[TypePart]:
    parts: list[TypePart] = []
    for item in items:
        parts += [TypePart(separator), *item] if parts else item
    return parts


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    for choice in schema.get("anyOf", [schema]):
        if "minimum" in choice:
            yield f"≥ {_number(choice['minimum'])}"
        if "maximum" in choice:
            yield f"≤ {_number(choice['maximum'])}"
        if "exclusiveMaximum" in choice:
            yield f"< {_number(choice['exclusiveMaximum'])}"
        for unit, names in _COUNTED.items():
            yield from _size(unit, *(choice.get(name) for name in names))
        if "pattern" in choice and not NO_NUL.match(choice["pattern"]):
            yield choice["pattern"]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


_COUNTED = {"characters": ("minLength", "maxLength"), "items": ("minItems", "maxItems")}


def _size(unit: str, least: int | None, most: int | None) -> Iterator[str]:
    if least is not None and most is not None:
        yield f"{least} {unit}" if least == most else f"{least} to {most} {unit}"
    elif least is not None:
        yield f"at least {least} {unit}"
    elif most is not None:
        yield f"at most {most} {unit}"
