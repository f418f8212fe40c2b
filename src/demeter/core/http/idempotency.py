"""``Idempotency-Key``: the same request again has the same answer and no second effect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from demeter.core.db import Base, CreatedRow
from demeter.core.errors import Conflict

REPLAYED = "Idempotency-Replayed"


class IdempotencyKey(CreatedRow, Base):
    """A key that was used, for what, and how it was answered."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    answer: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


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
        self._response = response
        self._key = idempotency_key

    def answer(self, session: Session, content: Any, act: Callable[[], Any]) -> Any:
        """What ``act`` returns, as JSON values; from memory if this key did it before.

        Two requests with one key at the same moment wait for each other on the key's row.

        Raises:
            IdempotencyKeyReused: the key stands for other content.
        """
        if self._key is None:
            return act()
        digest = _digest(self._operation, content)
        if not _claim(session, self._key, digest):
            return self._replay(session, self._key, digest)
        answer = jsonable_encoder(act())
        session.get_one(IdempotencyKey, self._key).answer = answer
        return answer

    def _replay(self, session: Session, key: str, digest: str) -> Any:
        first = session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == key)).one()
        if first.request_sha256 != digest:
            raise IdempotencyKeyReused(f"the key {key!r} was first used for another request")
        self._response.headers[REPLAYED] = "true"
        return first.answer


OnceOnly = Annotated[Once, Depends()]


def _claim(session: Session, key: str, digest: str) -> bool:
    """Write the key's row; false where it is there already. Old keys are let go meanwhile."""
    session.execute(
        text("""
        DELETE FROM idempotency_keys WHERE key IN (
            SELECT key FROM idempotency_keys WHERE created_at < now() - interval '7 days'
            ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED)
        """)
    )
    claimed = session.scalar(
        insert(IdempotencyKey)
        .values(key=key, request_sha256=digest)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return claimed is not None


def _digest(operation: str, content: Any) -> str:
    serialized = json.dumps(jsonable_encoder(content), sort_keys=True)
    return hashlib.sha256(f"{operation}\n{serialized}".encode()).hexdigest()
