"""The OpenAPI document: where it is served, and what every operation says alike."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from demeter.core.errors import DomainError
from demeter.core.http.permissions import PUBLIC, requires
from demeter.core.permissions import Permission

router = APIRouter(prefix="/api/v1", include_in_schema=False)


@router.get("/openapi.json", **requires(Permission.SEE))
def get_document(request: Request) -> JSONResponse:
    """The document itself, for programs that make clients of it."""
    return JSONResponse(request.app.openapi())


def operation_id(route: APIRoute) -> str:
    """Stable and short: the tag and the function's name, as in ``stock_report_movement``."""
    return "_".join([*map(str, route.tags[:1]), route.name])


IfMatch = Annotated[
    str | None,
    Header(max_length=200, description="the `ETag` that was read: refused if it changed since"),
]
PROBLEM: dict[str, Any] = {
    "description": "RFC 9457 problem; `type` is stable, `detail` is for people",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string", "examples": ["urn:demeter:error:not_a_photo"]},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "next_action": {"type": "string"},
                    "notice": {
                        "type": "object",
                        "description": "the detail as a code with its numbers, where it has one",
                        "required": ["code", "params"],
                        "properties": {"code": {"type": "string"}, "params": {"type": "object"}},
                    },
                    "instance": {"type": "string"},
                },
            },
            "example": {
                "type": "urn:demeter:error:not_a_photo",
                "title": "This file is not a photo",
                "status": 422,
                "detail": "notes.jpg is not a photo: its content is no known image",
                "code": "not_a_photo",
                "next_action": "Send a JPEG, PNG, WebP, HEIC, AVIF or TIFF file.",
                "file": "notes.jpg",
                "instance": "/api/v1/stock/photo",
            },
        }
    },
}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: PROBLEM,
    403: PROBLEM,
    404: PROBLEM,
    422: PROBLEM,
    500: PROBLEM,
    503: PROBLEM,
    507: PROBLEM,
}


SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "`demeter tokens create`"},
    "login": {"type": "apiKey", "in": "cookie", "name": "demeter_session"},
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Say how requests are signed, and which codes each answer that is a problem can have.

    What the schema of a request allows may be refused for its content, by one of the names
    under ``x-codes``.
    """
    document["components"]["securitySchemes"] = SECURITY
    document["security"] = [{name: []} for name in SECURITY]
    codes = _codes_by_status()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path in PUBLIC:
                operation["security"] = []
            for status, response in operation["responses"].items():
                if "application/problem+json" in response.get("content", {}):
                    response["x-codes"] = codes.get(int(status), [])
    return document


def _codes_by_status() -> dict[int, list[str]]:
    codes: dict[int, set[str]] = {}
    unseen: list[type[DomainError]] = [DomainError]
    while unseen:
        kind = unseen.pop()
        codes.setdefault(kind.status, set()).add(kind.code)
        unseen += kind.__subclasses__()
    return {status: sorted(names) for status, names in codes.items()}
