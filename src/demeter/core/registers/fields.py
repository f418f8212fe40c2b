"""Types of the fields of master data."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from demeter.core.fields import IS_NUMBER, ExactDecimal

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
