"""What the learning loop's API takes and answers; ``null`` means "not known", never 0."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from demeter.core.fields import IS_NUMBER
from demeter.photos.models import SessionStatus
from demeter.review.models import CorrectionKind

Plants = Annotated[int, Field(ge=0, le=1_000_000), IS_NUMBER]
Id = Annotated[int, Field(ge=1, lt=2**53), IS_NUMBER]
Index = Annotated[int, Field(ge=1, le=100_000), IS_NUMBER]
Position = Annotated[int, Field(ge=1, le=100), IS_NUMBER]
Pixel = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False), IS_NUMBER]
Text = Field(default=None, max_length=2000, pattern=r"^[^\x00]*$")


class Asked(BaseModel):
    """Who says so, and why; the service user where nobody is named."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(default=None, max_length=150, pattern=r"^[^\x00]+$")
    reason: str | None = Text


class ContainerNumber(BaseModel):
    """How many plants a container really holds."""

    model_config = ConfigDict(extra="forbid")

    index: Index = Field(description="of the container over the whole session")
    plants: Plants


class AddedMark(BaseModel):
    """A plant, or an empty container, that was missed."""

    model_config = ConfigDict(extra="forbid")

    box: tuple[Pixel, Pixel, Pixel, Pixel] = Field(
        description="x1, y1, x2, y2 in pixels of the upright image", examples=[[310, 220, 362, 270]]
    )
    position: Position = Field(default=1, description="of the photo in the session")
    container_index: Index | None = Field(
        default=None, description="else the container that holds its centre"
    )
    is_empty_container: bool = False


class Correction(Asked):
    """All that is changed at once; it is carried out whole or not at all."""

    containers: list[ContainerNumber] = Field(default=[], max_length=1000)
    add: list[AddedMark] = Field(default=[], max_length=5000)
    remove: list[Id] = Field(default=[], max_length=5000, description="`detection_id`s")
    undo: list[Id] = Field(default=[], max_length=5000, description="`correction_id`s")
    accept: bool = Field(
        default=False, description="the rest is right: post a session that waits, too"
    )


class BlindRecountCreate(Asked):
    """A person's own count of the photo, made without the machine's."""

    plants: Plants
    containers: list[ContainerNumber] = Field(
        default=[], max_length=1000, description="by container, where counted so"
    )


class Answer(BaseModel):
    """Answers are values."""

    model_config = ConfigDict(frozen=True)


class ContainerNow(Answer):
    """A container: the machine's answer, the person's, and the answer now."""

    index: int
    position: int | None
    machine_detected: int | None
    machine_estimated: int | None
    human_corrected: int | None
    answer: int | None
    by_marks: int = Field(description="what its marks add up to, with the estimate's rest")


class MarkNow(Answer):
    """One plant or empty container; ``removed`` ones are no longer counted."""

    detection_id: int | None = Field(description="null: a person added it")
    correction_id: int | None = Field(description="of the row that added or removed it")
    container_index: int
    position: int
    box: tuple[float, float, float, float]
    confidence: float | None
    is_empty_container: bool
    removed: bool


class CorrectionMade(Answer):
    """One correction of a mark, as it is kept."""

    correction_id: int
    kind: CorrectionKind
    container_index: int
    detection_id: int | None
    undoes_id: int | None
    by: str
    at: datetime
    reason: str | None


class SessionMarks(Answer):
    """A session's containers and marks as they stand, and how they came to."""

    session_id: UUID
    status: SessionStatus
    attempt: int
    containers: list[ContainerNow]
    marks: list[MarkNow]
    corrections: list[CorrectionMade]


class CorrectionDone(Answer):
    """What a correction changed in the ledger, and what the session waits for, if it does."""

    session_id: UUID
    status: SessionStatus
    ledger_difference: int
    answer: int | None = Field(description="plants of the session now")
    waits_for: str | None
    message: str | None
    next_action: str | None


class BlindRecountRead(Answer):
    """A blind number beside the machine's, which is shown from now on."""

    session_id: UUID
    plants: int
    machine_plants: int | None
    difference: int | None
