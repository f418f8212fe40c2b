"""``Idempotency-Key``: the same request again has the same answer and no second effect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from demeter.core.errors import Conflict
from demeter.core.idempotency_keys import IdempotencyKey

REPLAYED = "Idempotency-Replayed"


class IdempotencyKeyReused(Conflict):
    """One key was sent with two different requests."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"
    next_action = "Use a new key for a new request."


class Once:
    """Carries a request's key to the transaction in which its effect happens."""

    def __init__(
        self,
        request: Request,
        response: Response,
        idempotency_key: Annotated[
            str | None,
            Header(
                min_length=1,
                max_length=200,
                description="Any string of your own: the same request under the same key "
                "is carried out once and answered alike for seven days.",
            ),
        ] = None,
    ) -> None:
        self.is_preview = False
        self._operation = f"{request.method} {request.url.path}"
        self._request = request
        self._response = response
        self._key = idempotency_key

    def answer(
        self,
        session: Session,
        content: Any,
        act: Callable[[], Any],
        *,
        untold: tuple[str, ...] = (),
    ) -> Any:
        """What ``act`` returns, as JSON values; from memory if this key did it before.

        ``untold`` are fields that are not kept, such as secrets: a repeat has null there.

        Two requests with one key at the same moment wait for each other on the key's row.

        Raises:
            IdempotencyKeyReused: the key stands for other content.
        """
        if self._key is None:
            return act()
        digest = _digest(self._operation, content)
        owner = getattr(self._request.state, "user_id", None)
        claimed = _claim(session, owner, self._key, digest)
        if claimed is None:
            return self._replay(session, owner, self._key, digest)
        answer = jsonable_encoder(act())
        kept = {**answer, **dict.fromkeys(untold)} if untold else answer
        session.get_one(IdempotencyKey, claimed).answer = kept
        return answer

    def _replay(self, session: Session, owner: int | None, key: str, digest: str) -> Any:
        first = session.scalars(
            select(IdempotencyKey).where(
                IdempotencyKey.key == key, IdempotencyKey.user_id.is_not_distinct_from(owner)
            )
        ).one()
        if first.request_sha256 != digest:
            raise IdempotencyKeyReused(f"the key {key!r} was first used for another request")
        self._response.headers[REPLAYED] = "true"
        return first.answer


OnceOnly = Annotated[Once, Depends()]


def _claim(session: Session, owner: int | None, key: str, digest: str) -> int | None:
    """Write the key's row; ``None`` where it is there already. Old keys are let go meanwhile."""
    session.execute(
        text("""
        DELETE FROM idempotency_keys WHERE id IN (
            SELECT id FROM idempotency_keys WHERE created_at < now() - interval '7 days'
            ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)
        """)
    )
    return session.scalar(
        insert(IdempotencyKey)
        .values(user_id=owner, key=key, request_sha256=digest)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.id)
    )


def _digest(operation: str, content: Any) -> str:
    serialized = json.dumps(jsonable_encoder(content), sort_keys=True)
    return hashlib.sha256(f"{operation}\n{serialized}".encode()).hexdigest()
