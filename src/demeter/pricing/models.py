"""The price list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from demeter.core.db import Base, ChangedRow


class ListPrice(ChangedRow, Base):
    """What a packaging of a category of plants costs on the days from ``valid_from`` on."""

    __tablename__ = "price_list"
    is_audited = True

    id: Mapped[int] = mapped_column(primary_key=True)
    packaging_catalog_id: Mapped[int] = mapped_column(ForeignKey("packaging_catalog.id"))
    product_categories_id: Mapped[int] = mapped_column(ForeignKey("product_categories.id"))
    wholesale_unit_price: Mapped[Decimal]
    retail_unit_price: Mapped[Decimal | None]
    sku: Mapped[str | None]
    unit_per_storage_box: Mapped[int | None]
    wholesale_total_price_per_box: Mapped[Decimal | None]
    observations: Mapped[str | None]
    availability: Mapped[str | None]
    discount_factor: Mapped[Decimal | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
