"""What is refused in a review."""

from __future__ import annotations

from demeter.core.errors import DomainError, InvalidInput


class CorrectionRefused(InvalidInput):
    """A correction of detections that makes no sense as it is."""

    code = "correction_refused"
    title = "This correction is not possible"


class SessionChanged(DomainError):
    """The session is no longer as it was when it was looked at."""

    status = 412
    code = "session_changed"
    title = "The session has changed meanwhile"
    next_action = "Read it again, and correct what is there now."
