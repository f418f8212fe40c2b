"""What is refused about a row of master data, naming it."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


class RowNotFound(NotFound):
    """Nothing in this table has this name or number."""

    code = "row_not_found"
    title = "There is no such row"
    next_action = "Look at the list of this table."


class CodeTaken(Conflict):
    """Another row has the name, or the combination that may be there only once."""

    code = "code_taken"
    title = "There is one already"
    next_action = "Choose another code, or change the row that has it."


class InUse(Conflict):
    """Other rows hold this one; ``held_by`` says which tables and how many rows of each."""

    code = "in_use"
    title = "Other rows hold this one"
    next_action = "Deactivate it instead: its history stays."


class ReferenceNotFound(InvalidInput):
    """A field names a row of another table that is not there; ``nearest`` are names like it."""

    code = "reference_not_found"
    title = "A row that is named is not there"
    next_action = "Name one that is there, or add it first."


class RuleBroken(InvalidInput):
    """Values that do not go together, or that a rule of the database forbids."""

    code = "rule_broken"
    title = "These values do not go together"
    next_action = "Correct them, and send them again."


class CannotRetire(Conflict):
    """Rows of this table are there or not; nothing puts them out of use."""

    code = "cannot_retire"
    title = "Rows of this table cannot be put out of use"
    next_action = "Change it, or delete it: nothing holds it."
