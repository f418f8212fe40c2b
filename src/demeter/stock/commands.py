"""From what people send to what the ledger does: names become rows, gaps the configuration."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.locations.models import StorageBin, StorageLocation
from demeter.stock import ledger, lookup, movements, transfers
from demeter.stock.batches import Kind
from demeter.stock.bin_choice import Place
from demeter.stock.changes import Effect
from demeter.stock.errors import Ambiguous, SamePlace
from demeter.stock.ledger import Told
from demeter.stock.models import StockBatch
from demeter.stock.movements import Source
from demeter.stock.schemas import (
    Adjustment,
    Death,
    Move,
    Movement,
    OutOf,
    Planting,
    Report,
    Sale,
    Transplant,
)


def report(session: Session, said: Movement) -> Effect:
    """Write what was reported; each kind to its own function."""
    told = told_of(session, said)
    match said:
        case Planting():
            kind, place = _kind(session, said), _place_in(session, said)
            write = movements.plant if said.movement_type == "plantar" else movements.sow
            return write(session, told, place, kind, said.quantity, new_lot=said.new_lot)
        case Death():
            return movements.die(session, told, source_of(session, said), said.quantity)
        case Sale():
            source = source_of(session, said)
            return movements.sell(session, told, source, said.quantity, said.unit_price)
        case Adjustment():
            return movements.adjust(session, told, source_of(session, said), said.quantity)
        case Transplant():
            return transfers.transplant(
                session,
                told,
                source_of(session, said),
                _place_to(session, said),
                said.quantity,
                _becoming(session, said),
            )
        case Move():
            return _move(session, told, said)


def told_of(session: Session, said: Report) -> Told:
    """Who says so, under which key, when and why."""
    user = find_user(session, said.user)
    return Told(said.movement_id, user.id, said.occurred_at, said.reason)


def source_of(session: Session, said: OutOf) -> Source:
    """What plants come out of: the narrowest place that is named.

    Raises:
        Ambiguous: no place is named, or two that do not belong together.
    """
    lot = lookup.batch(session, said.batch_code) if said.batch_code else None
    found = _bin_of(session, said.bin_code, lot)
    location = _location_of(session, said.location_code, found)
    return Source(
        location_id=location.location_id,
        bin_id=found.bin_id if found and said.bin_code else None,
        batch_id=lot.id if lot else None,
        product_id=lookup.product(session, said.product_code).id if said.product_code else None,
        product_state_id=_state(session, said.state),
        packaging_catalog_id=_packaging(session, said.packaging_sku),
    )


def _bin_of(session: Session, code: str | None, lot: StockBatch | None) -> StorageBin | None:
    found = lookup.bin_(session, code) if code else None
    if lot is None:
        return found
    if found is not None and found.bin_id != lot.current_storage_bin_id:
        raise Ambiguous(f"lot {lot.batch_code} is not in bin {code}", field="bin_code")
    return lot.bin


def _location_of(session: Session, code: str | None, found: StorageBin | None) -> StorageLocation:
    if code is None and found is None:
        raise Ambiguous("name the location, the bin or the lot", field="location_code")
    location = lookup.location(session, code) if code else None
    if found is None:
        assert location is not None
        return location
    if location is not None and location.location_id != found.storage_location_id:
        raise Ambiguous(f"bin {found.code} is not at {code}", field="bin_code")
    return found.location


def _place_in(session: Session, said: Planting) -> Place:
    found = lookup.bin_(session, said.bin_code) if said.bin_code else None
    location = _location_of(session, said.location_code, found)
    return Place(location.location_id, found.bin_id if found else None, said.category)


def _place_to(session: Session, said: Transplant) -> Place:
    found = lookup.bin_(session, said.to_bin_code) if said.to_bin_code else None
    location = _location_of(session, said.to_location_code, found)
    return Place(location.location_id, found.bin_id if found else None, said.to_category)


def _kind(session: Session, said: Planting) -> Kind:
    """What is planted: as said, else as the location is configured.

    Raises:
        Ambiguous: neither says the product and its state.
    """
    config = ledger.active_config(session, _place_in(session, said).location_id)
    product = lookup.product(session, said.product_code).id if said.product_code else None
    as_configured = config if config and product in (None, config.product_id) else None
    product_id = product or (as_configured.product_id if as_configured else None)
    state_id = _state(session, said.state) or (
        as_configured.expected_product_state_id if as_configured else None
    )
    if product_id is None or state_id is None:
        raise Ambiguous("say the product and its state: the configuration here does not")
    packaging = _packaging(session, said.packaging_sku) or (
        as_configured.packaging_catalog_id if as_configured else None
    )
    size = lookup.size(session, said.size).id if said.size else None
    return Kind(product_id, state_id, size, packaging)


def _move(session: Session, told: Told, said: Move) -> Effect:
    source = source_of(session, said)
    to_bin = lookup.bin_(session, said.to_bin_code) if said.to_bin_code else None
    if to_bin is not None and to_bin.storage_location_id != source.location_id:
        raise SamePlace(
            f"bin {to_bin.code} is at another location: that is a transplante",
            bin_code=to_bin.code,
        )
    to_lot = lookup.batch(session, said.to_batch_code) if said.to_batch_code else None
    return transfers.move(
        session,
        told,
        source,
        said.quantity,
        to_bin_id=to_bin.bin_id if to_bin else None,
        to_batch_id=to_lot.id if to_lot else None,
        becoming=_becoming(session, said),
        new_lot=said.new_lot,
    )


def _becoming(session: Session, said: Transplant | Move) -> transfers.Becoming:
    return transfers.Becoming(
        _state(session, said.to_state),
        lookup.size(session, said.to_size).id if said.to_size else None,
        _packaging(session, said.to_packaging_sku),
    )


def _state(session: Session, name: str | None) -> int | None:
    return lookup.state(session, name).product_state_id if name else None


def _packaging(session: Session, sku: str | None) -> int | None:
    return lookup.packaging(session, sku).id if sku else None
