"""A person's count as rows: how many plants, of what, and in which bins they are booked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User, UserRole
from demeter.catalog.models import LocationConfig, Packaging, Product
from demeter.catalog.queries import active_config
from demeter.catalog.service import Growing, set_location_config
from demeter.core.notices import Notice
from demeter.counts import ledger_writes, posting
from demeter.counts.errors import CountContradictsConfig, InvalidCount
from demeter.counts.models import ContainerCount, Count
from demeter.locations import rules
from demeter.locations.models import BinStatus, StorageBin, StorageLocation
from demeter.stock import batches, bin_choice
from demeter.stock.count_units import unit_to_count_in
from demeter.stock.models import SourceType
from demeter.vision.values import ContainerType, CountUnit

WHOLE = "whole location"


@dataclass(frozen=True, slots=True)
class HandCount:
    """How many plants a person counted: of the whole location, or bin by bin.

    What the person does not say (product, packaging, unit) is as configured.
    """

    location_id: int
    plants: int | None = None
    by_bin: tuple[tuple[int, int], ...] = ()
    product_id: int | None = None
    product_state_id: int | None = None
    packaging_catalog_id: int | None = None
    category: ContainerType = ContainerType.SEGMENT
    unit: CountUnit | None = None

    def request(self) -> dict[str, Any]:
        """As JSON."""
        content = asdict(self)
        if self.unit is None:  # as requests were kept before they could say one
            del content["unit"]
        return content | {
            "by_bin": [list(pair) for pair in self.by_bin],
            "category": self.category.value,
        }


def require_countable(session: Session, location: StorageLocation, hand_count: HandCount) -> None:
    """Refuse a count without numbers, with negative ones, or with bins of elsewhere.

    Raises:
        InvalidCount: it says which.
    """
    if (hand_count.plants is None) == (not hand_count.by_bin):
        raise InvalidCount("a count says the plants of the whole location or of each bin")
    numbers = [plants for _, plants in hand_count.by_bin] or [hand_count.plants or 0]
    if min(numbers) < 0:
        raise InvalidCount(f"{min(numbers)} plants cannot be counted", plants=min(numbers))
    bins = [bin_id for bin_id, _ in hand_count.by_bin]
    if len(set(bins)) < len(bins):
        raise InvalidCount("a bin is counted twice")
    for bin_id in bins:
        storage_bin = session.get(StorageBin, bin_id)
        if storage_bin is None or storage_bin.storage_location_id != location.location_id:
            raise InvalidCount(f"bin {bin_id} is not at {location.code}", bin_id=bin_id)
        rules.require_usable(storage_bin)


def config_for(
    session: Session, location: StorageLocation, hand_count: HandCount, user: User
) -> LocationConfig | None:
    """The configuration that a count goes by; a supervisor's makes it where there is none.

    Raises:
        CountContradictsConfig: the count names another product, packaging or unit.
        InvalidCount: a configuration is to be made and its product's state is not said.
    """
    config = active_config(session, location.location_id)
    if config is not None:
        _require_match(session, location, config, hand_count)
        return config
    if hand_count.product_id is None or user.role not in (UserRole.ADMIN, UserRole.SUPERVISOR):
        return None
    if hand_count.product_state_id is None:
        raise InvalidCount(
            f"location {location.code} has no configuration: say the plants' state to make one",
            field="state",
        )
    growing = Growing(
        hand_count.product_id, hand_count.product_state_id, hand_count.packaging_catalog_id
    )
    return set_location_config(session, location, growing)


def _require_match(
    session: Session, location: StorageLocation, config: LocationConfig, hand_count: HandCount
) -> None:
    product = hand_count.product_id in (None, config.product_id)
    packaging = hand_count.packaging_catalog_id in (None, config.packaging_catalog_id)
    if product and packaging:
        _require_same_unit(location, config, hand_count)
        return
    counted = _product_in_packaging(session, hand_count.product_id, hand_count.packaging_catalog_id)
    configured = _product_in_packaging(session, config.product_id, config.packaging_catalog_id)
    raise CountContradictsConfig(
        f"the count says {counted}; {location.code} is configured for {configured}",
        counted=counted,
        configured=configured,
        location_code=location.code,
    )


def _require_same_unit(
    location: StorageLocation, config: LocationConfig, hand_count: HandCount
) -> None:
    if None in (hand_count.unit, config.count_unit) or hand_count.unit == config.count_unit:
        return
    raise CountContradictsConfig(
        f"the count is of {hand_count.unit}; {location.code} is configured for {config.count_unit}",
        counted=hand_count.unit,
        configured=config.count_unit,
        location_code=location.code,
    )


def contradiction(session: Session, count: Count, config: LocationConfig) -> Notice | None:
    """What a count that waited says otherwise than the configuration that was set since."""
    names_product = count.product_id not in (None, config.product_id)
    names_packaging = count.packaging_catalog_id not in (None, config.packaging_catalog_id)
    names_unit = None not in (count.unit, config.count_unit) and count.unit != config.count_unit
    if count.posted_at is not None or not (names_product or names_packaging or names_unit):
        return None
    if names_unit and not (names_product or names_packaging):
        counted_unit = Notice("unit_of_count", {"unit": count.unit})
        configured_unit = Notice("unit_of_count", {"unit": config.count_unit})
        return Notice(
            "count_contradicts_config", {"counted": counted_unit, "configured": configured_unit}
        )
    counted = _product_in_packaging(session, count.product_id, count.packaging_catalog_id)
    configured = _product_in_packaging(session, config.product_id, config.packaging_catalog_id)
    return Notice("count_contradicts_config", {"counted": counted, "configured": configured})


def _product_in_packaging(
    session: Session, product_id: int | None, packaging_id: int | None
) -> str:
    product = session.scalar(select(Product.code).where(Product.id == product_id))
    packaging = session.scalar(select(Packaging.sku).where(Packaging.id == packaging_id))
    return f"{product or 'no product'} in {packaging or 'no packaging'}"


def record(
    session: Session,
    location: StorageLocation,
    hand_count: HandCount,
    user: User,
    at: datetime,
    note: str | None,
) -> Count:
    """Write what the person counted as evidence: a count, not posted yet."""
    count = Count(
        storage_location_id=location.location_id,
        captured_at=at,
        source_type=SourceType.MANUAL,
        counted_by_user_id=user.id,
        unit=hand_count.unit or unit_to_count_in(session, location.location_id),
        product_id=hand_count.product_id,
        packaging_catalog_id=hand_count.packaging_catalog_id,
        note=note,
    )
    session.add(count)
    session.flush()
    numbers: list[tuple[int | None, int]] = [*hand_count.by_bin]
    if hand_count.plants is not None:
        numbers = [(None, hand_count.plants)]
    for index, (bin_id, plants) in enumerate(numbers, start=1):
        parameters = {"said_of": WHOLE, "plants": plants, "category": hand_count.category.value}
        session.add(
            _container_row(count, index, bin_id, plants, user.id, {} if bin_id else parameters)
        )
    session.flush()
    session.expire(count)
    return count


def _container_row(
    count: Count,
    index: int,
    bin_id: int | None,
    plants: int,
    user_id: int,
    parameters: dict[str, Any],
) -> ContainerCount:
    return ContainerCount(
        count_id=count.id,
        attempt=count.attempt,
        container_index=index,
        bin_id=bin_id,
        human_corrected=plants,
        corrected_by_user_id=user_id,
        parameters=parameters,
    )


def assign_bins(
    session: Session, location: StorageLocation, count: Count, config: LocationConfig
) -> None:
    """Book a count of the whole location in its bins; one is made where there is none."""
    rows = [row for row in count.containers if row.bin_id is None]
    if not rows:
        return
    (whole_row,) = rows
    expected = ledger_writes.expected_lot(config)
    lots = [
        lot
        for lot in ledger_writes.lots_as_of(
            session, location.location_id, count.captured_at, expected
        )
        if lot.as_of > 0 or _is_active(session, lot.bin_id)
    ]
    plants = whole_row.human_corrected or 0
    plants_by_bin = posting.spread_over_bins(lots, plants) or {
        _bin_to_book_in(session, location, whole_row, config): plants
    }
    user_id = whole_row.corrected_by_user_id
    assert user_id is not None
    (first, whole_row.human_corrected), *others = sorted(plants_by_bin.items())
    whole_row.bin_id = first
    for index, (bin_id, share) in enumerate(others, start=2):
        session.add(_container_row(count, index, bin_id, share, user_id, whole_row.parameters))
    session.flush()
    session.expire(count)


def _is_active(session: Session, bin_id: int) -> bool:
    return session.get_one(StorageBin, bin_id).status is BinStatus.ACTIVE


def _bin_to_book_in(
    session: Session, location: StorageLocation, whole_row: ContainerCount, config: LocationConfig
) -> int:
    kind = batches.LotKind(
        config.product_id,
        config.expected_product_state_id,
        packaging_catalog_id=config.packaging_catalog_id,
    )
    category = ContainerType(whole_row.parameters["category"])
    place = bin_choice.Destination(location.location_id, category=category)
    return bin_choice.choose_bin(session, location, place, [], kind).bin_id
