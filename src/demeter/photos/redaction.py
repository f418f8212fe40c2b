"""What is left of an answer while a session waits for a blind recount."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.counts import blind_recounts
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.photos.schemas import (
    ImageDetections,
    ImageRead,
    SessionContainer,
    SessionRead,
    SessionSummary,
)

WANTED = "blind_recount"
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


def of_session(session: Session, photo_session: PhotoSession, answer: SessionRead) -> SessionRead:
    """The answer itself, or without any number of the machine's."""
    if not blind_recounts.is_hidden(session, photo_session.id):
        return answer
    return answer.model_copy(
        update=_TOTALS
        | {
            "unknown_reason": WANTED,
            "warnings": [],
            "notices": [],
            "avg_confidence": None,
            "images": [_image(image) for image in answer.images],
            "containers": [_container(container) for container in answer.containers],
            "batches": [],
            "movements": [],
            "parameters": {},
            "actions": _actions(answer),
        }
    )


def in_list(
    session: Session, photo_session: PhotoSession, summary: SessionSummary
) -> SessionSummary:
    """A session in a list, without its numbers while they are hidden."""
    return (
        summary.model_copy(update=_TOTALS)
        if blind_recounts.is_hidden(session, photo_session.id)
        else summary
    )


def of_drawing(
    session: Session, photo_session: PhotoSession, drawn: list[ImageDetections]
) -> list[ImageDetections]:
    """Outlines of containers stay; what was seen in them is left out while it is hidden."""
    if not blind_recounts.is_hidden(session, photo_session.id):
        return drawn
    nothing = {"plants": [], "empties": [], "residual": []}
    return [image.model_copy(update=nothing) for image in drawn]


def require_picture_shown(session: Session, image_id: UUID) -> None:
    """Refuse the picture on which everything counted is drawn, while that is hidden.

    Raises:
        BlindRecountFirst: a session of this image waits for a blind number.
    """
    session_ids = select(SessionImage.session_id).where(SessionImage.image_id == image_id)
    for session_id in session.scalars(session_ids):
        blind_recounts.require_shown(session, session_id)


def _actions(answer: SessionRead) -> list[str]:
    """The blind number, and what neither shows nor posts anything."""
    asked = [] if answer.status is SessionStatus.DISCARDED else ["blind-recount"]
    return [*asked, *(a for a in answer.actions if a in ("discard", "restore"))]


def _image(image: ImageRead) -> ImageRead:
    return image.model_copy(update={"processed_url": None, "detections_url": None})


def _container(container: SessionContainer) -> SessionContainer:
    return container.model_copy(
        update=dict.fromkeys(_NUMBERS) | {"unknown_reason": WANTED, "unknown_notice": None}
    )
