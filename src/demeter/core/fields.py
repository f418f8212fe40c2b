"""Types of fields that people send: codes, notes, times, numbers of plants."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

MOST = 10_000_000  # plants in one movement or count
YEARS = range(2000, 2200)
DIGITS = re.compile(r"[0-9]{1,15}")


def parse_when(value: Any) -> datetime | date | None:
    """An ISO 8601 time or date; a date alone stays a date.

    Raises:
        ValueError: it is no such text.
    """
    if value is None or isinstance(value, datetime | date):
        return value
    if not isinstance(value, str):
        raise ValueError("a time such as 2026-03-01T10:30-03:00, or a date")  # noqa: TRY004  pydantic's
    try:
        parsed: date = date.fromisoformat(value)  # 20260301 and 2026-W09-7 are days, too
    except ValueError:
        parsed = datetime.fromisoformat(value)
    if parsed.year not in YEARS:
        raise ValueError(f"the year {parsed.year} is not one of a nursery's")
    return parsed


When = Annotated[
    datetime | date | None,
    BeforeValidator(parse_when),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "null"},
            ],
            "description": "a date alone is the end of that day at the site; none is now",
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
