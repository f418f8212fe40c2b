"""How large a request's body may be: measured while it is read, and refused beyond that.

`BodyLimits` holds every route to the setting ``max_body_bytes``. A route that takes files says
so: ``APIRouter(route_class=FileRoute)`` and ``requires(…, openapi=takes(Files.TABLE))``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demeter.core import logs
from demeter.core.errors import DomainError, chain
from demeter.core.http import problems
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.core.tabular.raw import MOST_BYTES

log = logs.get(__name__)

_EXTENSION = "x-body"
_SCOPE = "demeter.body"
_FORM_BYTES = 1_000_000  # of a form beside its files


class BodyTooLarge(DomainError):
    """A request's body has more bytes than its route takes."""

    status = 413
    code = "body_too_large"
    title = "The request is too large"
    next_action = "Send less at once."


class Files(StrEnum):
    """What files a route takes."""

    PHOTOS = "photos"
    TABLE = "table"


def takes(files: Files) -> dict[str, Any]:
    """What a route says about its files, beside its other extensions."""
    return {_EXTENSION: files.value}


def most_bytes(files: Files | None) -> int:
    """How large a body may be for these files."""
    limits = settings()
    match files:
        case None:
            return limits.max_body_bytes
        case Files.TABLE:
            return MOST_BYTES + _FORM_BYTES
        case Files.PHOTOS:
            # One photo more than allowed, so that each that is too large is named.
            return (limits.max_photos + 1) * limits.max_photo_bytes + _FORM_BYTES


@dataclass
class IncomingBody:
    """A request's body on its way in."""

    receive: Receive
    announced: int | None
    limit: int = field(default_factory=lambda: most_bytes(None))
    seen: int = 0
    is_over: bool = False

    async def read(self) -> Message:
        """The next part.

        Raises:
            HTTPException: there is more than the limit; what the route makes of it is not sent.
        """
        if (self.announced or 0) > self.limit:
            self._refuse()
        message = await self.receive()
        self.seen += len(message.get("body", b""))
        if self.seen > self.limit:
            self._refuse()
        return message

    def _refuse(self) -> None:
        self.is_over = True
        raise HTTPException(BodyTooLarge.status)


class FileRoute(APIRoute):
    """A route that takes files, and so larger bodies, where it says which."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, with the limit that this route declares."""
        handle = super().get_route_handler()
        declared: Mapping[str, Any] = self.openapi_extra or {}

        async def with_limit(request: Request) -> Response:
            if _EXTENSION in declared and _SCOPE in request.scope:
                request.scope[_SCOPE].limit = most_bytes(Files(declared[_EXTENSION]))
            return await handle(request)

        return with_limit


class BodyLimits:
    """Answers 413 in place of whatever is made of a body that goes on too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = IncomingBody(receive, _announced(scope))
        has_begun = False

        async def send_unless_over(message: Message) -> None:
            nonlocal has_begun
            if body.is_over and not has_begun:
                return
            has_begun = True
            await send(message)

        try:
            await self.app({**scope, _SCOPE: body}, body.read, send_unless_over)
        except Exception as error:
            if not body.is_over or has_begun:
                raise
            # A body cut at its limit breaks whoever reads it; the answer below says the limit.
            log.info("reading_ended_at_limit", limit=body.limit, error=chain(error))
        if body.is_over and not has_begun:
            refusal = BodyTooLarge(Notice("body_over_limit", {"limit": body.limit}))
            request = Request({**scope, "app": scope.get("app")}, receive)
            await problems.respond(request, refusal.problem())(scope, receive, send)


def _announced(scope: Scope) -> int | None:
    raw = Headers(scope=scope).get("content-length", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 20 else None  # noqa: PLR2004
