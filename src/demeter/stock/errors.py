"""What the ledger refuses, each with the numbers that explain it."""

from __future__ import annotations

from demeter.errors import Conflict, DomainError, InvalidInput, NotFound


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
