"""The bases of what comes in over the API and what goes out."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """What a client sends; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """What a client gets; read from rows, never changed."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
