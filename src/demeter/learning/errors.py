"""What is refused on the way from corrections to models, each with its numbers."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, InvalidInput, NotFound


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


class BlindRecountFirst(Conflict):
    """The machine's answer is hidden until a person has given a number of their own."""

    code = "blind_recount_first"
    title = "This photo is counted by a person first"
    next_action = "Count the plants yourself and send the number to `blind-recount`."


class BlindRecountNotAsked(Conflict):
    """No blind number is wanted for this session, or it was given already."""

    code = "blind_recount_not_asked"
    title = "No blind recount is wanted here"


class ModelNotFound(NotFound):
    """No model has this name or hash, or more than one has."""

    code = "model_not_found"
    title = "No such model"
    next_action = "Run: demeter models list"


class ModelStays(Conflict):
    """A model cannot be put to work, or taken off it, as asked."""

    code = "model_stays"
    title = "The active model stays"


class GateClosed(Conflict):
    """On the held-out photos the candidate may be worse than the active model."""

    code = "gate_closed"
    title = "The model does not pass the gate"
    next_action = "Train it further, or on more photos; the active model stays."


class TooLittleTruth(InvalidInput):
    """There are too few accepted or marked photos for what was asked."""

    code = "too_little_truth"
    title = "There is too little to learn from"
    next_action = "Review and accept more sessions, then try again."
