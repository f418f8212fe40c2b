"""By which names this server goes, and that no other site's page changes anything here."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demeter.core.errors import DomainError
from demeter.core.http import problems
from demeter.core.settings import settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FROM_HERE = frozenset({"same-origin", "none"})
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=()",
}
# A year; only for names, where a certificate stands for them: localhost serves others, too.
ONLY_TLS = "max-age=31536000"


class ForeignHost(DomainError):
    """The server was addressed by a name that is not its own."""

    status = 421
    code = "foreign_host"
    title = "This server does not go by that name"
    next_action = "Use the address that `demeter up` prints."


class ForeignOrigin(DomainError):
    """A page of another site tried to change something here."""

    status = 403
    code = "foreign_origin"
    title = "Changes are accepted only from Demeter's own pages"
    next_action = "Open Demeter itself and do it there."


class Guards:
    """Refuses foreign names and origins; adds the headers that fence pages in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        asked = Headers(scope=scope)
        fences = dict(SECURITY_HEADERS)
        if scope["scheme"] == "https" and _is_public_name(_name(asked.get("host", ""))):
            fences["strict-transport-security"] = ONLY_TLS

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in fences.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = refusal_of(scope["method"], asked)
        if refusal is None:
            await self.app(scope, receive, send_with_policy)
        else:
            answer = problems.respond(Request(scope, receive), refusal.problem())
            await answer(scope, receive, send_with_policy)


def refusal_of(method: str, headers: Headers) -> DomainError | None:
    """Why a request with these headers is not served, or ``None``."""
    host = headers.get("host", "")
    if not is_own_name(_name(host)):
        return ForeignHost(f"this server is not {host}")
    if method in SAFE:
        return None
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return ForeignOrigin(f"a page of {origin} may not change anything here")
    if headers.get("sec-fetch-site", "same-origin") not in FROM_HERE:
        return ForeignOrigin("a page of another site may not change anything here")
    return None


def is_own_name(name: str) -> bool:
    """Whether a host name can be ours.

    Any other name can be pointed here by whoever owns it or answers for it in this network,
    and the pages of that name would then be taken for our own (DNS rebinding).
    """
    if name == "localhost" or name.endswith(".localhost") or _is_address(name):
        return True
    configured = settings()
    return bool(name) and name in {configured.host.lower(), *configured.own_names()}


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # as of a bracket that is not closed
        return ""


def _is_public_name(name: str) -> bool:
    return bool(name) and not _is_address(name) and name.rpartition(".")[2] != "localhost"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
