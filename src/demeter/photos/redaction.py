"""What is left of an answer while a session waits for a blind recount."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.counts import blind_recounts
from demeter.photos.models import PhotoSession, SessionImage
from demeter.photos.schemas import (
    ContainerAnswer,
    Drawn,
    ImageAnswer,
    SessionAnswer,
    SessionSummary,
)

WANTED = "blind_recount"
_TELL = "This photo is counted by a person before the machine's answer is shown."
_TOTALS = {
    "total": None,
    "total_detected": None,
    "total_estimated": None,
    "total_empty_containers": None,
    "interval_90": None,
}
_NUMBERS = (
    "machine_detected",
    "machine_estimated",
    "machine_empty",
    "human_corrected",
    "answer",
    "interval_90",
    "residual_share",
    "ledger_before",
    "difference",
    "movement",
)


def of_session(session: Session, found: PhotoSession, answer: SessionAnswer) -> SessionAnswer:
    """The answer itself, or without any number of the machine's."""
    if not blind_recounts.is_hidden(session, found):
        return answer
    return answer.model_copy(
        update=_TOTALS
        | {
            "unknown_reason": WANTED,
            "next_action": "Count the plants yourself, then the machine's answer is shown.",
            "error_message": _TELL if answer.error_message else None,
            "warnings": [],
            "avg_confidence": None,
            "images": [_image(one) for one in answer.images],
            "containers": [_container(one) for one in answer.containers],
            "batches": [],
            "movements": [],
            "parameters": {},
            "actions": ["blind-recount"],
        }
    )


def in_list(session: Session, found: PhotoSession, summary: SessionSummary) -> SessionSummary:
    """A session in a list, without its numbers while they are hidden."""
    return (
        summary.model_copy(update=_TOTALS) if blind_recounts.is_hidden(session, found) else summary
    )


def of_drawing(session: Session, found: PhotoSession, drawn: list[Drawn]) -> list[Drawn]:
    """Outlines of containers stay; what was seen in them is left out while it is hidden."""
    if not blind_recounts.is_hidden(session, found):
        return drawn
    nothing = {"plants": [], "empties": [], "residual": []}
    return [one.model_copy(update=nothing) for one in drawn]


def require_picture_shown(session: Session, image_id: UUID) -> None:
    """Refuse the picture on which everything counted is drawn, while that is hidden.

    Raises:
        BlindRecountFirst: a session of this image waits for a blind number.
    """
    sessions = select(PhotoSession).where(
        PhotoSession.id.in_(
            select(SessionImage.session_id).where(SessionImage.image_id == image_id)
        )
    )
    for found in session.scalars(sessions):
        blind_recounts.require_shown(session, found)


def _image(image: ImageAnswer) -> ImageAnswer:
    return image.model_copy(update={"processed_url": None, "detections_url": None})


def _container(container: ContainerAnswer) -> ContainerAnswer:
    return container.model_copy(update=dict.fromkeys(_NUMBERS) | {"unknown_reason": WANTED})
