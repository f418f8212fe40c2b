"""The page that describes the API, made from its OpenAPI document; it needs no scripts."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response

from demeter.core.http.openapi import PROBLEM
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.web import render
from demeter.web.reference import prose, reference

router = APIRouter()


@router.get("/api/v1/docs", **requires(Permission.SEE))
def show_api(request: Request) -> Response:
    """Every operation and schema of the document."""
    problem = PROBLEM["content"]["application/problem+json"]
    return render.page(
        request,
        "reference/page.html",
        reference=reference(request.app.openapi()),
        problem_example=json.dumps(problem["example"], indent=2),
        prose=prose,
    )
