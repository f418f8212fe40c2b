"""Counts by hand, from the names that people use."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.counts import service
from demeter.counts.hand_counts import HandCount
from demeter.counts.schemas import HandCountCreate
from demeter.stock import lookup
from demeter.stock.changes import Effect
from demeter.stock.commands import _packaging, _state, told_of


def count_by_hand(session: Session, said: HandCountCreate) -> Effect:
    """Keep and post a person's count."""
    user = find_user(session, said.user)
    location = lookup.location(session, said.location_code)
    counted = HandCount(
        location_id=location.location_id,
        plants=said.plants,
        by_bin=tuple((lookup.bin_(session, b.bin_code).bin_id, b.plants) for b in said.bins),
        product_id=lookup.product(session, said.product_code).id if said.product_code else None,
        product_state_id=_state(session, said.state),
        packaging_catalog_id=_packaging(session, said.packaging_sku),
        category=said.category,
    )
    return service.count_by_hand(session, told_of(session, said), user, counted)
