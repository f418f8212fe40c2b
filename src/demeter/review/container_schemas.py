"""What the API of drawn containers takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from demeter.core.fields import IS_NUMBER
from demeter.photos.models import SessionStatus
from demeter.review.schemas import AddedMark, Answer, Asked, CorrectionDone, Id, Index, Position
from demeter.vision.values import ContainerType

WholePixel = Annotated[int, Field(ge=-100_000, le=100_000), IS_NUMBER]
Corner = tuple[WholePixel, WholePixel]


class ContainerDrawn(BaseModel):
    """A container as a person drew it."""

    model_config = ConfigDict(extra="forbid")

    position: Position = Field(default=1, description="of the photo in the session")
    outline: list[Corner] = Field(
        max_length=2000,
        description="corners in whole pixels of the upright image",
        examples=[[[10, 10], [210, 10], [210, 210], [10, 210]]],
    )
    container_type: ContainerType
    former: list[Index] = Field(
        default=[],
        max_length=1000,
        description="indexes of the containers it comes from: several were merged, one that "
        "others name, too, was split, none means a new one",
    )
    bin_id: Id | None = Field(
        default=None, description="the bin that it is; null: recognised by where it stands"
    )


class MarkEdits(BaseModel):
    """Marks that are changed along with the containers; ids are those of the attempt before."""

    model_config = ConfigDict(extra="forbid")

    add: list[AddedMark] = Field(default=[], max_length=5000)
    remove: list[Id] = Field(default=[], max_length=5000, description="`detection_id`s")
    undo: list[Id] = Field(default=[], max_length=5000, description="`correction_id`s")


class ContainersEdit(Asked):
    """All containers of all photos, as they shall be; carried out whole or not at all."""

    containers: list[ContainerDrawn] = Field(min_length=1, max_length=1000)
    marks: MarkEdits = Field(default_factory=MarkEdits)
    leave_out: bool = Field(
        default=False, description="plants outside of every container may count no more"
    )
    accept: bool = Field(
        default=False, description="the rest is right: post a session that waits, too"
    )


class ContainersEdited(CorrectionDone):
    """What drawing the containers anew changed."""

    attempt: int
    left_out: int = Field(description="plants that stand in no container")
    numbers_lost: list[int] = Field(
        description="former containers whose number by a person does not go on, as their "
        "plants are divided otherwise"
    )


class ContainerShape(Answer):
    """A container as it stands; ``bin_id`` is the bin it is, or would be recognised as."""

    index: int
    position: int
    container_type: ContainerType
    outline: list[Corner]
    bin_id: int | None
    is_chosen: bool = Field(description="a person said which bin it is")


class MarkOutside(Answer):
    """A mark that stands in no container and does not count."""

    position: int
    box: tuple[float, float, float, float]
    is_empty_container: bool


class KnownBinRead(Answer):
    """A bin where the last count before saw it."""

    bin_id: int
    code: str
    index: int = Field(description="its number in that count")
    container_type: ContainerType
    outline: list[Corner]
    image_id: UUID
    width_px: int
    height_px: int
    view_url: str
    captured_at: datetime


class SessionContainers(Answer):
    """A session's containers, what stands outside of them, and the bins of before."""

    session_id: UUID
    status: SessionStatus
    attempt: int
    drawn_by: str | None = Field(description="null: they are the machine's")
    containers: list[ContainerShape]
    outside: list[MarkOutside]
    estimated_outside: int
    bins: list[KnownBinRead]
