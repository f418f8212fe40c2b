"""What is refused about models."""

from __future__ import annotations

from demeter.core.errors import Conflict, NotFound


class ModelNotFound(NotFound):
    """No model has this name or hash, or more than one has."""

    code = "model_not_found"
    title = "No such model"
    next_action = "Run: demeter models list"


class ModelStays(Conflict):
    """A model cannot be put to work, or taken off it, as asked."""

    code = "model_stays"
    title = "The active model stays"
