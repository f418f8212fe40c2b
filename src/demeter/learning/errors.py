"""Errors of learning: too little ground truth, and a candidate that does not pass."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput


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
