"""The price list, described once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, ProductCategory
from demeter.core.db import lock_key
from demeter.core.permissions import Permission
from demeter.core.registers.description import Register, RowReference
from demeter.core.site import day_at_site
from demeter.pricing.errors import PriceOverlaps
from demeter.pricing.models import ListPrice
from demeter.pricing.schemas import ListPriceCreate

LOCK = "demeter.prices"


def require_own_days(session: Session, price: ListPrice) -> None:
    """Of a packaging and a category one price is valid on a day.

    Raises:
        PriceOverlaps: it names the other price and its days.
    """
    if price.valid_from is None:
        price.valid_from = _today()
    pair = (price.packaging_catalog_id, price.product_categories_id)
    lock_key(session, LOCK, f"{pair[0]}/{pair[1]}")
    last = price.valid_to or date.max
    other = session.scalar(
        select(ListPrice).where(
            ListPrice.packaging_catalog_id == pair[0],
            ListPrice.product_categories_id == pair[1],
            ListPrice.id != (price.id or 0),
            ListPrice.valid_from <= last,
            or_(ListPrice.valid_to.is_(None), ListPrice.valid_to >= price.valid_from),
        )
    )
    if other is not None:
        days = f"{other.valid_from} to {other.valid_to or 'no end'}"
        raise PriceOverlaps(
            f"price {other.id} is valid from {days}",
            price_id=other.id,
            valid_from=other.valid_from.isoformat(),
            valid_to=other.valid_to.isoformat() if other.valid_to else None,
        )


def end_or_renew(price: ListPrice, is_valid: bool) -> None:
    """Yesterday was its last day; or it has no last day again.

    A price that begins today or later ends on its first day: the past stays as it was.
    """
    if is_valid:
        price.valid_to = None
    elif price.valid_to is None or price.valid_to >= _today():
        price.valid_to = max(price.valid_from, _today() - timedelta(days=1))


def _today() -> date:
    return day_at_site(datetime.now(UTC))


PRICES = Register(
    name="prices",
    room="pricing",
    model=ListPrice,
    create=ListPriceCreate,
    key=None,
    fields={
        "packaging_sku": RowReference("packaging_catalog_id", Packaging.sku),
        "category_code": RowReference("product_categories_id", ProductCategory.code),
    },
    search=("packaging_sku", "category_code", "sku", "observations"),
    filters=("packaging_sku", "category_code"),
    columns=(
        "packaging_sku",
        "category_code",
        "wholesale_unit_price",
        "retail_unit_price",
        "valid_from",
        "valid_to",
    ),
    writes=Permission.DECIDE,
    rules=(require_own_days,),
    switch=end_or_renew,
)
