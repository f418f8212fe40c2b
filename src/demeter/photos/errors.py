"""What is refused about photos and sessions."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, NotFound


class CannotCreateBins(DomainError):
    """A bin could not be made; the cause is chained."""

    status = 500
    code = "cannot_create_bins"
    title = "Storage bins could not be made"
    next_action = "Show this message to an administrator, then reprocess the session."


class SessionDiscarded(Conflict):
    """The session was discarded: nothing is done with it until it is taken back."""

    code = "session_discarded"
    title = "This session was discarded"
    next_action = "Take it back first."


class SessionNotFound(NotFound):
    """No photo session has this id."""

    code = "session_not_found"
    title = "No such photo session"
    next_action = "Check the session's id."


class ImageNotFound(NotFound):
    """No image has this id, or this picture of it is not made yet."""

    code = "image_not_found"
    title = "No such picture"
    next_action = "A processed picture is there once its photo was counted."
