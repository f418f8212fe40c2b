"""What is refused about a place, naming it."""

from __future__ import annotations

from demeter.core.errors import Conflict, NotFound


class LocationGone(NotFound):
    """The location that a session was for is no longer there."""

    code = "location_gone"
    title = "The location no longer exists"
    next_action = "Choose another location for these photos, or discard them."


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
