"""What is refused about a count, each with its numbers."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound
from demeter.core.tabular.errors import TableRefused


class BlindRecountFirst(Conflict):
    """The machine's answer is hidden until a person has given a number of their own."""

    code = "blind_recount_first"
    title = "This photo is counted by a person first"
    next_action = "Count the plants yourself and send the number to `blind-recount`."


class BlindRecountNotAsked(Conflict):
    """No blind number is wanted for this session, or it was given already."""

    code = "blind_recount_not_asked"
    title = "No blind recount is wanted here"


class InvalidCount(InvalidInput):
    """A count that cannot be posted as it is."""

    code = "invalid_count"
    title = "This count cannot be posted"


class CountContradictsConfig(Conflict):
    """A count by hand names what the location's configuration does not."""

    code = "count_contradicts_config"
    title = "The count does not match the location's configuration"
    next_action = "Correct the count, or have a supervisor change the configuration."


class CountNotFound(NotFound):
    """No count has this id."""

    code = "count_not_found"
    title = "No such count"


class CountState(Conflict):
    """The count is not in a state in which this can be done."""

    code = "count_state"
    title = "This cannot be done in the count's present state"


class SheetInvalid(TableRefused):
    """Cells of a count sheet are wrong; nothing of it is taken."""

    code = "count_sheet_invalid"
    title = "The count sheet has wrong cells"
    next_action = "Correct the cells that are named and send the sheet again."
