"""Prices as they come in."""

from __future__ import annotations

from pydantic import Field

from demeter.core.fields import Price
from demeter.core.registers.fields import Day, Key, Line, Many, Prose, Share
from demeter.core.schemas import Input


class ListPriceCreate(Input):
    """What a packaging of a category of plants costs, and on which days."""

    packaging_sku: Key
    category_code: Key
    wholesale_unit_price: Price
    retail_unit_price: Price | None = Field(default=None, description="null: not known")
    sku: Key | None = Field(default=None, description="of the price list itself, where it has one")
    unit_per_storage_box: Many | None = None
    wholesale_total_price_per_box: Price | None = None
    discount_factor: Share | None = Field(default=None, description="from 0 to 1")
    availability: Line | None = None
    observations: Prose | None = None
    valid_from: Day | None = Field(default=None, description="absent: today, at the site")
    valid_to: Day | None = Field(default=None, description="its last day; absent: no end")
