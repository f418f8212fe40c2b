"""What the ledger refuses, each with the numbers that explain it."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, InvalidInput, NotFound


class LocationGone(NotFound):
    """The location that a session was for is no longer there."""

    code = "location_gone"
    title = "The location no longer exists"
    next_action = "Choose another location for these photos, or discard them."


class CannotCreateBins(DomainError):
    """A bin could not be made; the cause is chained."""

    status = 500
    code = "cannot_create_bins"
    title = "Storage bins could not be made"
    next_action = "Show this message to an administrator, then reprocess the session."


class BinStatusRefused(Conflict):
    """A bin cannot go from one status to another."""

    code = "bin_status_refused"
    title = "This change of a bin's status is not possible"
    next_action = "A retired bin stays retired: make a new one."


class StockWouldBeNegative(Conflict):
    """Posting a count of the past would leave less than nothing today."""

    code = "stock_would_be_negative"
    title = "Stock would become negative"
    next_action = (
        "Report what came in since the photo, or correct what went out; it is tried again."
    )


class InvalidCount(InvalidInput):
    """A count that cannot be posted as it is."""

    code = "invalid_count"
    title = "This count cannot be posted"


class TooFewPlants(Conflict):
    """Less is there than was asked for."""

    code = "too_few_plants"
    title = "Too few plants"
    next_action = "Ask for fewer, or count the location and try again."


class WrongSign(InvalidInput):
    """The quantity's sign does not go with the kind of movement."""

    code = "wrong_sign"
    title = "This quantity is not possible here"
    next_action = "Give a quantity greater than 0; the kind of movement says its direction."


class SamePlace(Conflict):
    """A move would end where it began."""

    code = "same_place"
    title = "From and to are the same"
    next_action = "Name another place; moves within one location are of the kind `move`."


class PlaceInactive(Conflict):
    """The location is out of use."""

    code = "place_inactive"
    title = "This place is not in use"
    next_action = "Name a place that is in use, or put this one into use again."


class BinRetired(Conflict):
    """The bin is retired and holds nothing any more."""

    code = "bin_retired"
    title = "This bin is retired"
    next_action = "Name another bin of the location."


class PeriodClosed(Conflict):
    """What happened by then is closed: it is evidence only, until the period is reopened."""

    code = "period_closed"
    title = "The period is closed"
    next_action = "Reopen the period, or date it after the closing count."


class MovementIdReused(Conflict):
    """The key stands for something else."""

    code = "movement_id_reused"
    title = "This movement_id was used for something else"
    next_action = "Use a new movement_id for a new movement."


class NotUndoable(Conflict):
    """This movement cannot be undone by a reversal."""

    code = "not_undoable"
    title = "This movement cannot be undone so"


class Ambiguous(InvalidInput):
    """More than one thing could be meant."""

    code = "ambiguous"
    title = "It is not clear what is meant"
    next_action = "Name the product, or the lot."


class HappenedInFuture(InvalidInput):
    """The moment is yet to come."""

    code = "happened_in_future"
    title = "This moment is in the future"


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


class NoSuch(NotFound):
    """A place, lot, product or packaging that was named is not there."""

    code = "no_such_thing"
    title = "There is nothing of this name"
