"""Each request has an id: in the logs, in the answer, and in a person's hands after an error."""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demeter.core import logs, traces
from demeter.core.errors import chain
from demeter.core.http import problems, traffic

log = logs.get(__name__)

HEADER = b"x-request-id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECRET = frozenset({"start", "join", "reset", "enter"})  # what follows lets people in
QUIET = ("/static/", "/health/", "/metrics")


class RequestIds:
    """Binds the request's id to the log and answers what nobody else answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _id_of_caller(scope) or uuid4().hex
        answer = _Answer(send, request_id)
        traffic.begin(scope)
        with _span(scope, request_id) as span, logs.bind(request_id=request_id, **traces.ids()):
            try:
                await self._run(scope, receive, answer, request_id)
            finally:
                traffic.end(scope, answer.status, answer.seconds)
                _tell(span, scope, answer)
            if not scope["path"].startswith(QUIET):
                facts = {"address": _address(scope), **answer.facts()}
                log.info("request", method=scope["method"], path=_shown(scope), **facts)

    async def _run(self, scope: Scope, receive: Receive, answer: _Answer, request_id: str) -> None:
        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            log.info("client_went_away", path=_shown(scope))
        except Exception as error:
            log.exception("request_failed", path=_shown(scope), error=chain(error))
            if answer.status is not None:
                raise  # the answer has begun: only breaking it off tells the client
            await problems.unexpected_error(Request(scope, receive), request_id)(
                scope, receive, answer
            )


def _span(scope: Scope, request_id: str) -> AbstractContextManager[Any]:
    """The request as a span, in the caller's trace where it names one."""
    if not traces.is_on() or scope["path"].startswith(QUIET):
        return nullcontext()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return traces.continued(scope["method"], headers, "SERVER", request_id=request_id)


def _tell(span: Any, scope: Scope, answer: _Answer) -> None:
    """A span's name is the route, which is known by now; its address stays out."""
    if span is None:
        return
    route = traffic.route_of(scope)
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.request.method", scope["method"])
    if answer.status is not None:
        span.set_attribute("http.response.status_code", answer.status)


def _shown(scope: Scope) -> str:
    """The path without what only its receiver may know: a one-time link lets in whoever has it."""
    first = scope["path"].split("/")[1:2]
    return f"/{first[0]}/***" if first and first[0] in SECRET else scope["path"]


def _address(scope: Scope) -> str | None:
    """Where it came from; behind a proxy that is believed, what the proxy says."""
    client = scope.get("client")
    return client[0] if client else None


class _Answer:
    """Sends on, adding the id to the headers and remembering the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self._started = time.perf_counter()
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), (HEADER, self._id.encode())]
        await self._send(message)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def facts(self) -> dict[str, Any]:
        return {"status": self.status, "ms": round(self.seconds * 1000, 1)}


def _id_of_caller(scope: Scope) -> str | None:
    """A caller's own id, where it is one that a log can hold."""
    for name, value in scope["headers"]:
        if name == HEADER:
            text = value.decode("latin-1")
            return text if _ACCEPTABLE.fullmatch(text) else None
    return None


def link_url(request: Request, path: str) -> str:
    """A path of ours with the name by which this server was addressed."""
    return f"{str(request.base_url).rstrip('/')}{path}"
