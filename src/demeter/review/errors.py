"""What is refused in a review."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, InvalidInput


class CorrectionRefused(InvalidInput):
    """A correction of detections that makes no sense as it is."""

    code = "correction_refused"
    title = "This correction is not possible"


class CountChanged(DomainError):
    """The count is no longer as it was when it was looked at."""

    status = 412
    code = "session_changed"
    title = "The count has changed meanwhile"
    next_action = "Read it again, and correct what is there now."


class SessionNotWaiting(Conflict):
    """The session is not in a state in which this can be done."""

    code = "session_not_waiting"
    title = "This cannot be done in the session's present state"
    next_action = "Look at the session: its state says what can be done."


class NotAcceptable(Conflict):
    """The session waits for something that acceptance cannot settle."""

    code = "not_acceptable"
    title = "Acceptance does not settle what this session waits for"


class OutlineRefused(InvalidInput):
    """A container that cannot be as a person drew it."""

    code = "outline_refused"
    title = "A container cannot be drawn like that"
    next_action = "Draw its outline again, or take the change back."


class PlantsLeftOut(Conflict):
    """Plants would stand in no container, and nobody has said that they may."""

    code = "plants_left_out"
    title = "Plants would count in no container"
    next_action = "Draw an outline around them, or say that they are left out."
