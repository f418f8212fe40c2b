"""What is refused about a place, naming it."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


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


class ShapeInvalid(InvalidInput):
    """A shape is none that a place can have."""

    code = "shape_invalid"
    title = "This shape cannot be taken"
    next_action = "Draw it anew: closed, and without crossing itself."


class PlaceOutside(Conflict):
    """A place lies outside the one that it belongs to, or would leave one of its own outside."""

    code = "place_outside"
    title = "The place lies outside the one around it"
    next_action = "Correct one of the two shapes; an import can accept it as it is."


class BinStatusFinal(Conflict):
    """A retired bin stays retired."""

    code = "bin_status_final"
    title = "A retired bin stays retired"
    next_action = "Make a new bin."


class BinHoldsPlants(Conflict):
    """A bin with plants cannot be retired."""

    code = "bin_holds_plants"
    title = "There are plants in this bin"
    next_action = "Move or count them first."


class PlaceNotFound(NotFound):
    """No place answers to this."""

    code = "place_not_found"
    title = "No such place"
    next_action = "Look at the list of places."


class BedNameUnclear(InvalidInput):
    """No bed is called so, or several are."""

    code = "bed_name_unclear"
    title = "It is not clear which bed is meant"
    next_action = "Write its whole name or code, or choose it from the list."


class LabelsNone(NotFound):
    """There is no bed to make a label for."""

    code = "labels_none"
    title = "No bed is there to make labels for"
    next_action = "Name a greenhouse with beds that are in use."
