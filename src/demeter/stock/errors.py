"""What the ledger refuses, each with the numbers that explain it."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


class StockWouldBeNegative(Conflict):
    """Posting a count of the past would leave less than nothing today."""

    code = "stock_would_be_negative"
    title = "Stock would become negative"
    next_action = (
        "Report what came in since the photo, or correct what went out; it is tried again."
    )


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


class MovementsTooMany(InvalidInput):
    """More movements are asked for than one file may have."""

    code = "movements_too_many"
    title = "Too many movements for one file"
    next_action = "Narrow the list: by days, by place or by product."


class ReasonMissing(InvalidInput):
    """What changes the ledger against what was counted or reported says why."""

    code = "reason_missing"
    title = "A reason is missing"
    next_action = "Say in a sentence why, then send it again."


class SamePlace(Conflict):
    """A move would end where it began."""

    code = "same_place"
    title = "From and to are the same"
    next_action = "Name another place; moves within one location are of the kind `move`."


class UnitsDiffer(Conflict):
    """One side's stock is counted in plants, the other's in occupied places."""

    code = "units_differ"
    title = "The units differ"
    next_action = (
        "Set both locations to be counted in the same unit and count them; or report the plants "
        "as died here and planted there."
    )


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


class NameNotFound(NotFound):
    """A place, lot, product or packaging that was named is not there."""

    code = "no_such_thing"
    title = "There is nothing of this name"
