"""The table of keys under which requests were carried out; `core.http.idempotency` asks it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, CreatedRow


class IdempotencyKey(CreatedRow, Base):
    """A key that a person used, for what, and how it was answered."""

    __tablename__ = "idempotency_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    key: Mapped[str]
    request_sha256: Mapped[str]
    answer: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
