"""Types of the fields of master data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from demeter.core.fields import DATE, IS_NUMBER, ExactDecimal


def parse_day(value: Any) -> Any:
    """A day as ISO 8601, of the years 2000 to 2199.

    Raises:
        ValueError: it is none.
    """
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str) or not DATE.fullmatch(value):
        raise ValueError("a day such as 2026-03-01")
    return date.fromisoformat(value)


# It stands in addresses: no slash, and no point at its beginning.
KEY_PATTERN = r"^[^\x00-\x20\x7f/\\?#%.]([^\x00-\x1f\x7f/\\?#%]*[^\x00-\x20\x7f/\\?#%])?$"
LINE_PATTERN = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"

Key = Annotated[str, Field(min_length=1, max_length=50, pattern=KEY_PATTERN)]
LongKey = Annotated[str, Field(min_length=1, max_length=100, pattern=KEY_PATTERN)]
UpperKey = Annotated[
    str, Field(min_length=1, max_length=50, pattern=r"^[A-Z0-9_-]+$", examples=["SEEDLING"])
]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=LINE_PATTERN)]
Prose = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Rank = Annotated[int, Field(ge=0, le=1_000_000), IS_NUMBER]
Many = Annotated[int, Field(ge=1, le=1_000_000), IS_NUMBER]
Centimetres = Annotated[Decimal, ExactDecimal(6, 3)]
Millimetres = Annotated[Decimal, ExactDecimal(6, 2)]
Litres = Annotated[Decimal, ExactDecimal(6, 4)]
Share = Annotated[Decimal, ExactDecimal(1, 4)]
Measure = Annotated[Decimal, ExactDecimal(9, 4)]
Day = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "pattern": f"^{DATE.pattern}$", "examples": ["2026-03-01"]}),
]
