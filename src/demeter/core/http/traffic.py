"""What this web process has served, counted for `/metrics`: by route, never by address.

The figures are of one process since it started; Prometheus adds up several.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from starlette.types import Scope

disable_created_metrics()
registry = CollectorRegistry(auto_describe=True)

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED, STATIC = "unmatched", "/static"
UPLOADS = frozenset({"/api/v1/stock/photo", "/api/v1/photos/uploads/{upload_id}/finish", "/upload"})
_ROUTE, _PROBLEM = "demeter.route", "demeter.problem"

requests = Counter(
    "demeter_http_requests",
    "Requests answered, by method, route and status.",
    ("method", "route", "status"),
    registry=registry,
)
seconds = Histogram(
    "demeter_http_request_seconds",
    "From a request's first byte to the end of its answer, by route.",
    ("method", "route"),
    buckets=SECONDS,
    registry=registry,
)
under_way = Counter(
    "demeter_http_requests_begun", "Requests that began, answered or not.", registry=registry
)
refusals = Counter(
    "demeter_http_refusals",
    "Requests refused, by the code of the error.",
    ("code",),
    registry=registry,
)
uploads = Counter(
    "demeter_uploads",
    "Uploads of photos: `accepted`, or the code of the error that refused them.",
    ("result",),
    registry=registry,
)


def begin(scope: Scope) -> None:
    """Lay down where the parts of the server below note what a request is."""
    under_way.inc()
    scope["demeter.notes"] = {}


def note_route(request: Request) -> None:
    """For all routes of an app, as a dependency: the route's template is kept for the figures."""
    route = request.scope.get("route")
    notes = request.scope.get("demeter.notes")
    if route is not None and notes is not None:
        notes[_ROUTE] = route.path


def note_problem(scope: Scope, code: str) -> None:
    """Keep by which error a request was refused."""
    scope.get("demeter.notes", {})[_PROBLEM] = code


def route_of(scope: Scope) -> str:
    """The template of the route that served a request; a few names for what has none."""
    notes: dict[str, Any] = scope.get("demeter.notes", {})
    if _ROUTE in notes:
        return notes[_ROUTE]
    return STATIC if scope["path"].startswith(f"{STATIC}/") else UNMATCHED


def end(scope: Scope, status: int | None, seconds_taken: float) -> None:
    """Count one request; a client that went away before the answer has status 499."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = route_of(scope)
    problem = scope.get("demeter.notes", {}).get(_PROBLEM)
    requests.labels(method, route, str(status or 499)).inc()
    seconds.labels(method, route).observe(seconds_taken)
    if problem is not None:
        refusals.labels(problem).inc()
    if method == "POST" and route in UPLOADS:
        uploads.labels(problem or ("accepted" if status else "client_went_away")).inc()
