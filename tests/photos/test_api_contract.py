"""The OpenAPI document is true: its examples fit its types, and answers fit it too."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from demeter.app import create_app
from demeter.photos import openapi
from demeter.photos.schemas import SessionPage, SessionRead, UploadRead
from support.nursery import photo_count
from support.served import SESSIONS, client, record_answers, upload_session

__all__ = ["client"]

DOCUMENT = create_app().openapi()
OPERATIONS = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


@pytest.mark.parametrize(
    ("documented", "status", "model"),
    [
        (openapi.UPLOADED, 202, UploadRead),
        (openapi.EXAMPLE_PAGE, 200, SessionPage),
        (openapi.EXAMPLE_SESSION, 200, SessionRead),
    ],
)
def test_each_example_is_an_answer_that_could_be_given(documented, status, model):
    shown = documented[status]["content"]["application/json"]["example"]
    assert model.model_validate(shown).model_dump(mode="json") == shown


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_each_operation_says_what_it_is_for(method, path, operation):
    assert operation["summary"]
    assert operation["tags"]
    if path.startswith("/api/"):
        assert "application/problem+json" in operation["responses"]["422"]["content"]


@pytest.mark.parametrize(("method", "path", "operation"), [o for o in OPERATIONS if o[0] == "post"])
def test_each_post_takes_an_idempotency_key(method, path, operation):
    names = [p["name"].lower() for p in operation["parameters"]]
    assert "idempotency-key" in names


def test_pages_are_not_in_the_document():
    assert all(path.startswith(("/api/v1/", "/health/")) for path in DOCUMENT["paths"])


def test_no_page_of_documentation_loads_scripts_of_other_hosts(client: TestClient):
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    assert client.get("/api/v1/openapi.json").json()["info"]["title"] == "Demeter"


def test_answers_have_exactly_the_fields_of_the_document(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((3, 1)))
    told = client.get(f"{SESSIONS}/{session_id}").json()
    schemas = DOCUMENT["components"]["schemas"]
    assert set(told) == set(schemas["SessionRead"]["properties"])
    assert set(told["containers"][0]) == set(schemas["SessionContainer"]["properties"])
    item = client.get(SESSIONS).json()["items"][0]
    assert set(item) == set(schemas["SessionSummary"]["properties"])
