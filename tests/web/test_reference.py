"""The OpenAPI document as a page shows it: nothing of it is left out."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from demeter.app import create_app
from demeter.web.reference import prose, reference, type_name
from support.served import client

APP = create_app()
__all__ = ["client"]

DOCUMENT = APP.openapi()
REFERENCE = reference(DOCUMENT)
OPERATIONS = {operation.id: operation for g in REFERENCE.groups for operation in g.operations}


@pytest.fixture
def page(client: TestClient) -> str:
    answer = client.get("/api/v1/docs", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.text


def text_of(schema: dict) -> str:
    return "".join(part.text for part in type_name(schema))


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"type": "string", "format": "binary"}, "file"),
        ({"type": "string", "contentMediaType": "application/octet-stream"}, "file"),
        ({"$ref": "#/components/schemas/Stock"}, "Stock"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer | null"),
        ({"oneOf": [{"$ref": "#/a/Sale"}, {"$ref": "#/a/Death"}]}, "Sale | Death"),
        ({"const": "move"}, '"move"'),
        ({"enum": ["es", "en"], "type": "string"}, '"es" | "en"'),
        ({"type": "array", "items": {"$ref": "#/a/Stock"}}, "list of Stock"),
        ({"type": "array"}, "list of any"),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "number"}]},
            "[integer, number]",
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of string"),
        ({"type": "object", "additionalProperties": True}, "object"),
        ({}, "any"),
    ],
)
def test_types_are_called_in_one_line(schema: dict, name: str):
    assert text_of(schema) == name


def test_every_operation_parameter_and_schema_is_in_the_reference():
    count = 0
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            count += 1
            entry = OPERATIONS[operation["operationId"]]
            assert (entry.method, entry.path) == (method.upper(), path)
            assert [p.name for p in entry.parameters] == [
                p["name"] for p in operation.get("parameters", [])
            ]
            assert len(entry.answers) + len(entry.problems) == len(operation["responses"])
            assert (entry.body is None) == ("requestBody" not in operation)
    assert count == len(OPERATIONS)
    assert {s.name for s in REFERENCE.schemas} == set(DOCUMENT["components"]["schemas"])


def test_fields_say_whether_they_are_required_their_limits_and_their_default():
    (death,) = [schema for schema in REFERENCE.schemas if schema.name == "DeathCreate"]
    fields = {field.name: field for field in death.fields}
    assert fields["quantity"].required
    assert fields["quantity"].limits == "≥ -10000000, ≤ 10000000"
    assert not fields["reason"].required
    assert fields["reason"].limits == "at most 2000 characters"
    limit = next(p for p in OPERATIONS["stock_list_movements"].parameters if p.name == "limit")
    assert (limit.place, limit.default) == ("query", "100")


def test_an_upload_is_described_field_by_field():
    body = OPERATIONS["photos_upload_photos"].body
    assert body is not None
    assert body.media_types == ("multipart/form-data",)
    assert {"files", "location_code", "captured_at"} <= {field.name for field in body.fields}


def test_what_stands_in_backticks_is_code_and_paragraphs_stay_apart():
    assert prose("Say `null`,\nnot ``0``.\n\nMore.") == [
        ["Say ", "null", ", not ", "0", "."],
        ["More."],
    ]
    assert prose("") == []


def test_the_page_has_examples_and_every_link_in_it_leads_somewhere(page: str):
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert page.count("<pre") > len(REFERENCE.groups) / 2


def test_the_page_loads_nothing_from_another_host_and_has_no_script_of_its_own(page: str):
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', page) == []
    scripts = re.findall(r"<script[^>]*>", page)
    assert all('src="/static/' in script for script in scripts)
    assert " style=" not in page


def test_its_frame_is_in_both_languages(client: TestClient):
    spanish = client.get("/api/v1/docs", headers={"accept-language": "es"}).text
    assert '<html lang="es">' in spanish
    assert "Parámetros" in spanish
