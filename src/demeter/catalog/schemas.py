"""What people say grows at a location, by the codes they know, and what they read of it."""

from __future__ import annotations

from demeter.core.fields import Code, UserName
from demeter.core.schemas import Input, Output


class LocationConfigCreate(Input):
    """What grows at a location from now on."""

    product_code: Code
    state: Code
    packaging_sku: Code | None = None
    framed_whole: bool | None = None
    user: UserName | None = None


class LocationConfigRead(Output):
    """What grows at a location; nothing is said where ``product_code`` is null."""

    location_code: str
    name: str
    warehouse_code: str
    area_code: str
    product_code: str | None
    state: str | None
    packaging_sku: str | None
    framed_whole: bool
    waiting: int
