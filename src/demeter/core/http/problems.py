"""Every error leaves as RFC 9457 problem+json, or as a page where a browser asked for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from demeter.core import logs
from demeter.core.database_errors import refusal_of
from demeter.core.errors import DomainError, InvalidInput, chain
from demeter.core.http import traffic

log = logs.get(__name__)

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MACHINES = ("/api/", "/health/")  # these never answer with a page

PageOfProblem = Callable[[Request, dict[str, Any]], Response]


class NoSuchPage(DomainError):
    """Nothing is served at this address, or not by this method."""

    code = "no_such_page"
    title = "There is nothing at this address"
    next_action = "Go back to the first page."


def install(app: FastAPI, page: PageOfProblem) -> None:
    """Answer every error in one form; ``page`` renders a problem for a person's browser."""
    app.state.page_of_problem = page
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    for kind in (SQLAlchemyError, psycopg.Error, OSError):
        app.add_exception_handler(kind, _system_error)


def respond(
    request: Request, body: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as JSON, or as a page for a browser that is looking at one."""
    traffic.note_problem(request.scope, body["code"])
    body = jsonable_encoder(body | {"instance": request.url.path})
    is_page = "text/html" in request.headers.get("accept", "")
    if is_page and not request.url.path.startswith(MACHINES):
        page = request.app.state.page_of_problem(request, body)
        page.headers.update(headers or {})
        return page
    return JSONResponse(body, body["status"], headers, MEDIA_TYPE)


def unexpected_error(request: Request, correlation_id: str) -> Response:
    """The answer to an error nobody foresaw; the log holds the whole of it under this id."""
    return respond(
        request,
        {
            "type": "urn:demeter:error:unexpected_error",
            "title": "Something went wrong that Demeter did not expect",
            "status": 500,
            "detail": f"The log has the whole error under the id {correlation_id}.",
            "code": "unexpected_error",
            "correlation_id": correlation_id,
            "next_action": "Try again; if it happens again, tell an administrator this id.",
        },
    )


def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    level = log.error if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
    level("request_refused", code=error.code, error=chain(error))
    return _refuse(request, error)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {
            "field": ".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]),
            "message": e["msg"],
        }
        for e in error.errors()
    ]
    log.info("request_refused", code=InvalidInput.code, fields=[f["field"] for f in faults])
    detail = "; ".join(f"{f['field']}: {f['message']}" for f in faults)
    return respond(
        request,
        {
            "type": "urn:demeter:error:invalid_input",
            "title": "The input is not valid",
            "status": 422,
            "detail": detail,
            "code": "invalid_input",
            "errors": faults,
        },
    )


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST:  # the body is no JSON, or no form
        return respond(request, InvalidInput(str(error.detail)).problem())
    headers = error.headers
    problem = NoSuchPage(f"{request.method} {request.url.path}: {error.detail}").problem()
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"allow": ", ".join(_methods_at(request))}
    elif error.status_code != HTTPStatus.NOT_FOUND:
        problem |= {
            "type": "about:blank",
            "code": f"http_{error.status_code}",
            "title": HTTPStatus(error.status_code).phrase,
        }
    return respond(request, problem | {"status": error.status_code}, headers)


def _methods_at(request: Request) -> list[str]:
    """Every method that is served at this address; a route knows its own alone.

    An address that the document names is not also one of a template, as ``…/preview`` is no id.
    """
    named = request.app.openapi()["paths"].get(request.url.path)
    if named is not None:
        return [method for method in METHODS if method.lower() in named]
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _system_error(request: Request, error: Exception) -> Response:
    """An error of the database or the system that amounts to a refusal; others are unexpected."""
    refusal = refusal_of(error)
    if refusal is None:
        raise error
    log.error("request_refused", code=refusal.code, error=chain(error))
    return _refuse(request, refusal)


def _refuse(request: Request, refusal: DomainError) -> Response:
    wait_s = refusal.retry_after_s
    return respond(
        request, refusal.problem(), {} if wait_s is None else {"retry-after": str(wait_s)}
    )
