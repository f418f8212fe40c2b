"""Who asks: read from a request's cookie or token, before its permission is looked at."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from demeter.accounts import identity, logins, tokens
from demeter.accounts.identity import Identity, Means
from demeter.core.db import transaction

COOKIE = "demeter_session"
SECURE_COOKIE = "__Host-demeter_session"  # over TLS: bound to this host and path by its name


async def identify(request: Request) -> Identity | None:
    """Let the rest of this request act as the person whose cookie or token it brings.

    As a dependency it must be asynchronous: what is set in a thread of its own is lost there.
    """
    acting = await run_in_threadpool(_read, request.headers)
    identity.act_as(acting)
    request.state.user_id = acting.user_id if acting else None
    return acting


def _read(headers: Headers) -> Identity | None:
    bearer, secret = bearer_of(headers), cookie_of(headers)
    with transaction() as session:
        if bearer is not None:
            return _by_token(session, bearer)
        return _by_login(session, secret) if secret else None


def bearer_of(headers: Headers) -> str | None:
    """The token in the Authorization header, or ``None`` where there is no such header."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def cookie_of(headers: Headers) -> str | None:
    """The secret of the browser's session, or ``None``."""
    cookies = cookie_parser(headers.get("cookie", ""))
    return cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)


def _by_token(session: Session, secret: str) -> Identity | None:
    token = tokens.token_of(session, secret)
    if token is None:
        return None
    return replace(identity.of_user(token.user, Means.TOKEN), role=tokens.scope_of(token))


def _by_login(session: Session, secret: str) -> Identity | None:
    user = logins.user_of(session, secret)
    return replace(identity.of_user(user, Means.LOGIN), secret=secret) if user else None
