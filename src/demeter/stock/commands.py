"""Requests carried out: codes become rows, and the configuration fills what is left out."""

from __future__ import annotations

from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user, require
from demeter.catalog.queries import active_config
from demeter.core.permissions import Permission
from demeter.locations.models import StorageBin, StorageLocation
from demeter.stock import lookup, movements, transfers
from demeter.stock.batches import LotKind
from demeter.stock.bin_choice import Destination
from demeter.stock.changes import LedgerChange
from demeter.stock.errors import Ambiguous, SamePlace
from demeter.stock.ledger import LedgerCommand
from demeter.stock.models import StockBatch
from demeter.stock.movements import WithdrawalSource
from demeter.stock.schemas import (
    AdjustmentCreate,
    DeathCreate,
    LedgerCommandCreate,
    MoveCreate,
    MovementCreate,
    PlantingCreate,
    SaleCreate,
    TransplantCreate,
    WithdrawalCreate,
)


def report(session: Session, request: MovementCreate) -> LedgerChange:
    """Write what was reported; each kind to its own function.

    Raises:
        NotAllowed: a sale or an adjustment by somebody who may only report.
    """
    if isinstance(request, SaleCreate | AdjustmentCreate):
        require(Permission.DECIDE)
    command = command_from(session, request)
    match request:
        case PlantingCreate():
            kind, place = _kind_to_plant(session, request), _place_to_plant(session, request)
            write = movements.plant if request.movement_type == "plantar" else movements.sow
            return write(session, command, place, kind, request.quantity, new_lot=request.new_lot)
        case DeathCreate():
            return movements.die(session, command, source_from(session, request), request.quantity)
        case SaleCreate():
            source = source_from(session, request)
            return movements.sell(session, command, source, request.quantity, request.unit_price)
        case AdjustmentCreate():
            return movements.adjust(
                session, command, source_from(session, request), request.quantity
            )
        case TransplantCreate():
            return transfers.transplant(
                session,
                command,
                source_from(session, request),
                _place_to_transplant(session, request),
                request.quantity,
                _conversion(session, request),
            )
        case MoveCreate():
            return _move(session, command, request)


def command_from(session: Session, request: LedgerCommandCreate) -> LedgerCommand:
    """Who says so, under which key, when and why."""
    user = acting_user(session, request.user)
    return LedgerCommand(request.movement_id, user.id, request.occurred_at, request.reason)


def source_from(session: Session, request: WithdrawalCreate) -> WithdrawalSource:
    """What plants come out of: the narrowest place that is named.

    Raises:
        Ambiguous: no place is named, or two that do not belong together.
    """
    lot = lookup.batch(session, request.batch_code) if request.batch_code else None
    storage_bin = _named_bin(session, request.bin_code, lot)
    location = _named_location(session, request.location_code, storage_bin)
    return WithdrawalSource(
        location_id=location.location_id,
        bin_id=storage_bin.bin_id if storage_bin and request.bin_code else None,
        batch_id=lot.id if lot else None,
        product_id=lookup.product(session, request.product_code).id
        if request.product_code
        else None,
        product_state_id=state_id(session, request.state),
        packaging_catalog_id=packaging_id(session, request.packaging_sku),
    )


def _named_bin(session: Session, code: str | None, lot: StockBatch | None) -> StorageBin | None:
    storage_bin = lookup.storage_bin(session, code) if code else None
    if lot is None:
        return storage_bin
    if storage_bin is not None and storage_bin.bin_id != lot.current_storage_bin_id:
        raise Ambiguous(f"lot {lot.batch_code} is not in bin {code}", field="bin_code")
    return lot.bin


def _named_location(
    session: Session, code: str | None, storage_bin: StorageBin | None
) -> StorageLocation:
    if code is None and storage_bin is None:
        raise Ambiguous("name the location, the bin or the lot", field="location_code")
    location = lookup.location(session, code) if code else None
    if storage_bin is None:
        assert location is not None
        return location
    if location is not None and location.location_id != storage_bin.storage_location_id:
        raise Ambiguous(f"bin {storage_bin.code} is not at {code}", field="bin_code")
    return storage_bin.location


def _place_to_plant(session: Session, request: PlantingCreate) -> Destination:
    storage_bin = lookup.storage_bin(session, request.bin_code) if request.bin_code else None
    location = _named_location(session, request.location_code, storage_bin)
    return Destination(
        location.location_id, storage_bin.bin_id if storage_bin else None, request.category
    )


def _place_to_transplant(session: Session, request: TransplantCreate) -> Destination:
    storage_bin = lookup.storage_bin(session, request.to_bin_code) if request.to_bin_code else None
    location = _named_location(session, request.to_location_code, storage_bin)
    return Destination(
        location.location_id, storage_bin.bin_id if storage_bin else None, request.to_category
    )


def _kind_to_plant(session: Session, request: PlantingCreate) -> LotKind:
    """What is planted: as named, else as the location is configured.

    Raises:
        Ambiguous: neither says the product and its state.
    """
    config = active_config(session, _place_to_plant(session, request).location_id)
    product = lookup.product(session, request.product_code).id if request.product_code else None
    as_configured = config if config and product in (None, config.product_id) else None
    product_id = product or (as_configured.product_id if as_configured else None)
    state = state_id(session, request.state) or (
        as_configured.expected_product_state_id if as_configured else None
    )
    if product_id is None or state is None:
        raise Ambiguous("say the product and its state: the configuration here does not")
    packaging = packaging_id(session, request.packaging_sku) or (
        as_configured.packaging_catalog_id if as_configured else None
    )
    size = lookup.size(session, request.size).id if request.size else None
    return LotKind(product_id, state, size, packaging)


def _move(session: Session, command: LedgerCommand, request: MoveCreate) -> LedgerChange:
    source = source_from(session, request)
    to_bin = lookup.storage_bin(session, request.to_bin_code) if request.to_bin_code else None
    if to_bin is not None and to_bin.storage_location_id != source.location_id:
        raise SamePlace(
            f"bin {to_bin.code} is at another location: that is a transplante",
            bin_code=to_bin.code,
        )
    to_lot = lookup.batch(session, request.to_batch_code) if request.to_batch_code else None
    return transfers.move(
        session,
        command,
        source,
        request.quantity,
        to_bin_id=to_bin.bin_id if to_bin else None,
        to_batch_id=to_lot.id if to_lot else None,
        conversion=_conversion(session, request),
        new_lot=request.new_lot,
    )


def _conversion(session: Session, request: TransplantCreate | MoveCreate) -> transfers.Conversion:
    return transfers.Conversion(
        state_id(session, request.to_state),
        lookup.size(session, request.to_size).id if request.to_size else None,
        packaging_id(session, request.to_packaging_sku),
    )


def state_id(session: Session, name: str | None) -> int | None:
    """The id of the product state of this name, where one is named."""
    return lookup.state(session, name).product_state_id if name else None


def packaging_id(session: Session, sku: str | None) -> int | None:
    """The id of the packaging of this SKU, where one is named."""
    return lookup.packaging(session, sku).id if sku else None
