"""A person's count as rows: what was said, of what, and in which bins it is booked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User, UserRole
from demeter.catalog.models import LocationConfig, Packaging, Product
from demeter.counts import ledger_writes, posting
from demeter.counts.errors import CountContradictsConfig, InvalidCount
from demeter.counts.models import ContainerCount, Count
from demeter.locations import rules
from demeter.locations.models import BinStatus, StorageBin, StorageLocation
from demeter.stock import batches, bin_choice, ledger
from demeter.stock.models import SourceType
from demeter.vision.values import ContainerType

NEXT = {
    "needs_config": "Set what grows at this location, then post the count again.",
    "stock_would_be_negative": "Report what came in since, or correct what went out; "
    "it is tried again.",
    "period_closed": "Reopen the period to post this count; until then it is kept.",
}

WHOLE = "whole location"


@dataclass(frozen=True, slots=True)
class HandCount:
    """How many plants a person counted: of the whole location, or bin by bin.

    What the person does not say (product, packaging) is as configured.
    """

    location_id: int
    plants: int | None = None
    by_bin: tuple[tuple[int, int], ...] = ()
    product_id: int | None = None
    product_state_id: int | None = None
    packaging_catalog_id: int | None = None
    category: ContainerType = ContainerType.SEGMENT

    def request(self) -> dict[str, Any]:
        """As JSON."""
        told = asdict(self)
        return told | {
            "by_bin": [list(pair) for pair in self.by_bin],
            "category": self.category.value,
        }


def check(session: Session, location: StorageLocation, counted: HandCount) -> None:
    """Refuse a count without numbers, with negative ones, or with bins of elsewhere.

    Raises:
        InvalidCount: it says which.
    """
    if (counted.plants is None) == (not counted.by_bin):
        raise InvalidCount("a count says the plants of the whole location or of each bin")
    numbers = [plants for _, plants in counted.by_bin] or [counted.plants or 0]
    if min(numbers) < 0:
        raise InvalidCount(f"{min(numbers)} plants cannot be counted", plants=min(numbers))
    bins = [bin_id for bin_id, _ in counted.by_bin]
    if len(set(bins)) < len(bins):
        raise InvalidCount("a bin is counted twice")
    for bin_id in bins:
        found = session.get(StorageBin, bin_id)
        if found is None or found.storage_location_id != location.location_id:
            raise InvalidCount(f"bin {bin_id} is not at {location.code}", bin_id=bin_id)
        rules.require_usable(found)


def config_for(
    session: Session, location: StorageLocation, counted: HandCount, user: User
) -> LocationConfig | None:
    """The configuration that a count goes by; a supervisor's makes it where there is none.

    Raises:
        CountContradictsConfig: the count names another product or packaging.
        InvalidCount: a configuration is to be made and its product's state is not said.
    """
    config = ledger.active_config(session, location.location_id)
    if config is not None:
        _require_match(session, location, config, counted)
        return config
    if counted.product_id is None or user.role not in (UserRole.ADMIN, UserRole.SUPERVISOR):
        return None
    if counted.product_state_id is None:
        raise InvalidCount(
            f"location {location.code} has no configuration: say the plants' state to make one",
            field="state",
        )
    made = LocationConfig(
        storage_location_id=location.location_id,
        product_id=counted.product_id,
        expected_product_state_id=counted.product_state_id,
        packaging_catalog_id=counted.packaging_catalog_id,
    )
    session.add(made)
    session.flush()
    return made


def _require_match(
    session: Session, location: StorageLocation, config: LocationConfig, counted: HandCount
) -> None:
    product = counted.product_id in (None, config.product_id)
    packaging = counted.packaging_catalog_id in (None, config.packaging_catalog_id)
    if product and packaging:
        return
    said = _named(session, counted.product_id, counted.packaging_catalog_id)
    expected = _named(session, config.product_id, config.packaging_catalog_id)
    raise CountContradictsConfig(
        f"the count says {said}; {location.code} is configured for {expected}",
        counted=said,
        configured=expected,
        location_code=location.code,
    )


def _named(session: Session, product_id: int | None, packaging_id: int | None) -> str:
    product = session.scalar(select(Product.code).where(Product.id == product_id))
    packaging = session.scalar(select(Packaging.sku).where(Packaging.id == packaging_id))
    return f"{product or 'no product'} in {packaging or 'no packaging'}"


def keep(
    session: Session,
    location: StorageLocation,
    counted: HandCount,
    user: User,
    at: datetime,
    note: str | None,
) -> Count:
    """What the person said, as evidence: a count, unposted."""
    count = Count(
        storage_location_id=location.location_id,
        captured_at=at,
        source_type=SourceType.MANUAL,
        counted_by_user_id=user.id,
        note=note,
    )
    session.add(count)
    session.flush()
    said: list[tuple[int | None, int]] = [*counted.by_bin]
    if counted.plants is not None:
        said = [(None, counted.plants)]
    for index, (bin_id, plants) in enumerate(said, start=1):
        whole = {"said_of": WHOLE, "plants": plants, "category": counted.category.value}
        session.add(_row(count, index, bin_id, plants, user.id, {} if bin_id else whole))
    session.flush()
    session.expire(count)
    return count


def _row(
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
    (whole,) = rows
    expected = ledger_writes.expected_of(config)
    known = [
        lot
        for lot in ledger_writes.lots_as_of(
            session, location.location_id, count.captured_at, expected
        )
        if lot.as_of > 0 or _is_active(session, lot.bin_id)
    ]
    plants = whole.human_corrected or 0
    booked = posting.spread(known, plants) or {_bin(session, location, whole, config): plants}
    user_id = whole.corrected_by_user_id
    assert user_id is not None
    (first, whole.human_corrected), *others = sorted(booked.items())
    whole.bin_id = first
    for index, (bin_id, share) in enumerate(others, start=2):
        session.add(_row(count, index, bin_id, share, user_id, whole.parameters))
    session.flush()
    session.expire(count)


def _is_active(session: Session, bin_id: int) -> bool:
    return session.get_one(StorageBin, bin_id).status is BinStatus.ACTIVE


def _bin(
    session: Session, location: StorageLocation, whole: ContainerCount, config: LocationConfig
) -> int:
    kind = batches.Kind(
        config.product_id,
        config.expected_product_state_id,
        packaging_catalog_id=config.packaging_catalog_id,
    )
    category = ContainerType(whole.parameters["category"])
    place = bin_choice.Place(location.location_id, category=category)
    return bin_choice.choose_bin(session, location, place, [], kind).bin_id
