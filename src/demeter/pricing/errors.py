"""What is refused about prices."""

from __future__ import annotations

from demeter.core.errors import Conflict


class PriceOverlaps(Conflict):
    """Two prices of one packaging and category would be valid on one day."""

    code = "price_overlaps"
    title = "Another price is valid on these days"
    next_action = "End that one on the day before, or choose other days."
