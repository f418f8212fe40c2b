"""Counts by hand, from the codes that people use."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.counts import service
from demeter.counts.hand_counts import HandCount
from demeter.counts.schemas import HandCountCreate
from demeter.stock import lookup
from demeter.stock.changes import LedgerChange
from demeter.stock.commands import command_from, packaging_id, state_id


def count_by_hand(session: Session, request: HandCountCreate) -> LedgerChange:
    """Keep and post a person's count."""
    user = acting_user(session, request.user)
    location = lookup.location(session, request.location_code)
    hand_count = HandCount(
        location_id=location.location_id,
        plants=request.plants,
        by_bin=tuple(
            (lookup.storage_bin(session, b.bin_code).bin_id, b.plants) for b in request.bins
        ),
        product_id=lookup.product(session, request.product_code).id
        if request.product_code
        else None,
        product_state_id=state_id(session, request.state),
        packaging_catalog_id=packaging_id(session, request.packaging_sku),
        category=request.category,
        unit=request.unit,
    )
    return service.count_by_hand(session, command_from(session, request), user, hand_count)
