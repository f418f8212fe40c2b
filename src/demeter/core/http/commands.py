"""Commands over HTTP: carried out once in a transaction of their own, or only shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from demeter.core import db
from demeter.core.crash_points import step
from demeter.core.db import transaction
from demeter.core.http.idempotency import Once, OnceOnly
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def run_once(
    once: Once, body: Any, act: Callable[[Session], Any], *, untold: tuple[str, ...] = ()
) -> Any:
    """What ``act`` returns, in one transaction; from memory if this key did it before.

    ``body`` is what the request asks for: another one under the same key is refused. On the
    route of a preview the whole is rolled back, and the key stays free. ``untold`` are fields
    of the answer that are not kept for a repeat, such as secrets.

    Raises:
        IdempotencyKeyReused: the key stands for another body.
    """
    with transaction() as session:
        if once.is_preview:
            return db.preview(session, lambda: act(session))
        answer = once.answer(session, body, lambda: act(session), untold=untold)
        step("command.before_commit")
    step("command.after_commit")
    return answer


def keep_nothing(once: OnceOnly) -> None:
    """For the route of a preview: it takes a key as every POST does, and remembers nothing."""
    once.is_preview = True


PREVIEW = [Depends(keep_nothing)]


def post_with_preview(
    router: APIRouter,
    path: str,
    *,
    summary: str,
    preview: str,
    permission: Permission,
    openapi: Mapping[str, Any] | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Serve a function that calls `run_once` at ``path``, and its preview at ``path/preview``.

    ``summary`` and ``preview`` are the summaries of the two.
    """

    def register(act: Endpoint) -> Endpoint:
        router.post(path, summary=summary, **requires(permission, openapi=openapi))(act)
        router.post(
            f"{path}/preview",
            name=f"preview_{act.__name__}",
            summary=preview,
            description="The same answer, and nothing is kept.",
            **requires(permission, dependencies=PREVIEW, openapi=openapi),
        )(act)
        return act

    return register
