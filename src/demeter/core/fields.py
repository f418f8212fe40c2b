"""Types of fields that people send: codes, notes, times, numbers of plants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from demeter.core.errors import InvalidInput

MOST = 10_000_000  # plants in one movement or count
YEARS = range(2000, 2200)
DIGITS = re.compile(r"[0-9]{1,15}")
# A day that there is, from 2000 to 2199, and perhaps a time of it: what is refused otherwise
# stands in the OpenAPI document, too.
LEAP_YEAR = r"(2000|2[01](0[48]|[2468][048]|[13579][26]))"
DAY = (
    r"((2[01][0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    rf"|02-(0[1-9]|1[0-9]|2[0-8])))|{LEAP_YEAR}-02-29)"
)
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
OFFSET = r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
DATE = re.compile(DAY)
WHEN = re.compile(rf"^{DAY}([T ]{TIME}{OFFSET}?)?$")


def parse_when(value: Any) -> datetime | date | None:
    """An ISO 8601 time or date; a date alone stays a date.

    Raises:
        ValueError: it is no such text.
    """
    if value is None or isinstance(value, datetime | date):
        return value
    if not isinstance(value, str):
        raise ValueError("a time such as 2026-03-01T10:30-03:00, or a date")  # noqa: TRY004  pydantic's
    if not WHEN.fullmatch(value):
        raise ValueError(
            f"a time such as 2026-03-01T10:30-03:00, or a date, of the years {YEARS.start} to "
            f"{YEARS.stop - 1}"
        )
    is_day = DATE.fullmatch(value) is not None
    return date.fromisoformat(value) if is_day else datetime.fromisoformat(value)


When = Annotated[
    datetime | date | None,
    BeforeValidator(parse_when),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": WHEN.pattern},
                {"type": "null"},
            ],
            "description": "ISO 8601; a date alone is the end of that day at the site; none is now",
            "examples": ["2026-03-01T10:30:00-03:00", "2026-03-01"],
        }
    ),
]

Code = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
UserName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00]+$",
        description="the service user where nobody is named",
    ),
]
SheetName = Annotated[
    str, Field(max_length=31, description="of a workbook, where several of its sheets fit")
]
Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


def require_number(value: Any) -> Any:
    """Refuse what JSON does not write as a number: `true`, "12", "1.000".

    Raises:
        ValueError: it is a truth value or a text.
    """
    if isinstance(value, bool | str | bytes):
        raise ValueError("a whole number, without quotes")  # noqa: TRY004  pydantic's
    return value


def parse_digits(value: Any) -> Any:
    """A number of a form: plain digits, for "1.000" may be a thousand or one.

    Raises:
        ValueError: it is a text of anything else.
    """
    if isinstance(value, str) and not DIGITS.fullmatch(value.strip()):
        raise ValueError("plain digits, such as 1000")
    return value


# Behind a field's bounds, so that these stand in the OpenAPI document.
IS_NUMBER = BeforeValidator(require_number)
IS_DIGITS = BeforeValidator(parse_digits)
Plants = Annotated[int, Field(ge=0, le=MOST), IS_NUMBER]
PlantChange = Annotated[int, Field(ge=-MOST, le=MOST), IS_NUMBER]


class TooManyDecimals(InvalidInput):
    """A number finer than its column keeps: rounding it would change it in silence."""

    code = "too_many_decimals"
    title = "The number has too many decimals"
    next_action = "Round it, and send it again."


@dataclass(frozen=True)
class ExactDecimal:
    """An exact number from 0 on: digits before the point, and behind it.

    A text is read as written; a JSON number by its shortest text, for binary fractions are
    not exact.
    """

    whole: int
    places: int

    def parse(self, value: Any) -> Any:
        """The number.

        Raises:
            ValueError: it is no such number.
            TooManyDecimals: it is finer.
        """
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, str):
            if not re.fullmatch(self._pattern, value):
                raise ValueError(
                    f"digits and a point, at most {self.whole} before and {self.places} behind"
                )
            return Decimal(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("a number")  # noqa: TRY004  pydantic's
        return self._exact(value)

    def _exact(self, value: float) -> Decimal:
        number = Decimal(str(value))
        if not number.is_finite():
            raise ValueError("a number")
        if int(number.normalize().as_tuple().exponent) < -self.places:
            raise TooManyDecimals(f"{value}: at most {self.places} decimals", places=self.places)
        return number

    @property
    def _pattern(self) -> str:
        return rf"^[0-9]{{1,{self.whole}}}(\.[0-9]{{1,{self.places}}})?$"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        limits = core_schema.decimal_schema(ge=Decimal(0), lt=Decimal(10**self.whole))
        return core_schema.no_info_before_validator_function(self.parse, limits)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 10**self.whole - 1},
                {"type": "string", "pattern": self._pattern},
            ],
            "description": f"at most {self.places} decimals; a text is exact",
        }


# Of one plant or packaging, in the nursery's currency.
Price = Annotated[Decimal, ExactDecimal(8, 4)]
