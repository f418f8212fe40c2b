"""Which decisions of a review can be taken back from its page, and by what."""

from __future__ import annotations

from demeter.photos.models import SessionStatus

RESTORED = frozenset(("discard", "another-photo", "another_photo"))
VOIDED = frozenset(("accept", "correct", "confirm_empty", "post", "grow_held", "config"))
MOVED = frozenset(("move",))


def is_undoable(act: str, status: SessionStatus, was: str) -> bool:
    """Whether an act that left a session in this state can be taken back.

    ``was`` is the code of the bed from which a count was moved.
    """
    if act in RESTORED:
        return status is SessionStatus.DISCARDED
    if act in VOIDED:
        return status is SessionStatus.COMPLETED
    return act in MOVED and bool(was)
