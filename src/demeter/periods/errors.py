"""What month's end refuses."""

from __future__ import annotations

from demeter.core.errors import Conflict, NotFound
from demeter.core.tabular.errors import TableRefused


class PeriodNotFound(NotFound):
    """No period has this code."""

    code = "period_not_found"
    title = "No such period"


class PeriodExists(Conflict):
    """There is a period of this code, or one that ends at this moment."""

    code = "period_exists"
    title = "This period is there already"


class PeriodState(Conflict):
    """The period is not in a state in which this can be done."""

    code = "period_state"
    title = "This cannot be done in the period's present state"


class PeriodNotOver(Conflict):
    """A period is closed once its end has come."""

    code = "period_not_over"
    title = "The period is not over"
    next_action = "Close it when its end has come."


class EarlierPeriodOpen(Conflict):
    """Periods are closed in their order, and reopened against it."""

    code = "period_order"
    title = "Another period comes first"
    next_action = "Close periods from the earliest on; reopen them from the latest back."


class Unexplained(Conflict):
    """Exceptions are left that nobody explained."""

    code = "exceptions_unexplained"
    title = "Exceptions have to be explained first"
    next_action = "Explain each one, or report what explains it."


class SecondPersonNeeded(Conflict):
    """Whoever proposed to close a period does not close it."""

    code = "second_person_needed"
    title = "A second person closes the period"
    next_action = "Have somebody else look at the preview and close it."


class NothingToExplain(NotFound):
    """There is no such exception in this period."""

    code = "no_such_exception"
    title = "There is no such exception"


class SalesFileInvalid(TableRefused):
    """The sales file cannot be read as one; each fault has its row and column."""

    code = "sales_file_invalid"
    title = "The sales file cannot be read"
