"""What can be reported at a bed, and how a form's words become the request that the API takes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from demeter.core.errors import InvalidInput
from demeter.core.fields import DIGITS, MOST
from demeter.core.permissions import Permission
from demeter.locations.bed_names import bed_named
from demeter.locations.models import StorageLocation
from demeter.stock import commands
from demeter.stock.bed_changes import BedsPreview, preview_beds
from demeter.stock.schemas import MovementCreate

REQUEST: TypeAdapter[MovementCreate] = TypeAdapter(MovementCreate)


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of report: its address, the movement it writes, and what its form asks for."""

    key: str
    movement_type: str
    icon: str
    asks: Permission
    sign: int  # of the bed's plants; 0 where the form says it
    offered: tuple[int, ...]
    fields: tuple[str, ...]


REPORTS = {
    kind.key: kind
    for kind in (
        ReportKind(
            "planting", "plantar", "sprout", Permission.REPORT, 1, (10, 25, 50, 100), ("growing",)
        ),
        ReportKind(
            "deaths", "muerte", "heart-crack", Permission.REPORT, -1, (1, 2, 5, 10), ("lot",)
        ),
        ReportKind(
            "sale", "ventas", "shopping-basket", Permission.DECIDE, -1, (10, 25, 50, 100),
            ("lot", "price"),
        ),
        ReportKind(
            "transplant", "transplante", "arrow-right", Permission.REPORT, -1, (10, 25, 50, 100),
            ("to", "lot"),
        ),
        ReportKind(
            "adjustment", "ajuste", "sliders-horizontal", Permission.DECIDE, 0, (1, 2, 5, 10),
            ("direction", "lot"),
        ),
    )
}  # fmt: skip


class ReportFieldWrong(InvalidInput):
    """A field of a report's form cannot be read; ``context`` has its ``field``."""

    code = "report_field_wrong"
    title = "A field cannot be read"
    next_action = "Correct the field that is marked, and send it again."


@dataclass(slots=True)
class TypedReport:
    """A form as a person filled it in; ``key`` makes a repeat harmless."""

    key: UUID
    quantity: str = ""
    when: str = ""
    reason: str = ""
    batch_code: str = ""
    to: str = ""
    direction: str = ""
    unit_price: str = ""
    product_code: str = ""
    state: str = ""
    packaging_sku: str = ""
    new_lot: str = ""


def preview_report(
    session: Session, kind: ReportKind, bed: StorageLocation, typed: TypedReport
) -> BedsPreview:
    """What would be written, and the plants of every bed it touches before and after.

    Raises:
        ReportFieldWrong: a field cannot be read.
    """
    request = request_of(session, kind, bed, typed)
    return preview_beds(session, lambda: commands.report(session, request), lambda: [bed.code])


def request_of(
    session: Session, kind: ReportKind, bed: StorageLocation, typed: TypedReport
) -> MovementCreate:
    """The request that the API takes.

    Raises:
        ReportFieldWrong: a field cannot be read.
        BedNameUnclear: the bed that plants go to is not clear.
    """
    values: dict[str, Any] = {
        "movement_type": kind.movement_type,
        "movement_id": typed.key,
        "location_code": bed.code,
        "quantity": _quantity(kind, typed),
        "occurred_at": typed.when or None,
        "reason": typed.reason or None,
    }
    if "lot" in kind.fields:
        values["batch_code"] = typed.batch_code or None
    if "growing" in kind.fields:
        values |= {
            "product_code": typed.product_code or None,
            "state": typed.state or None,
            "packaging_sku": typed.packaging_sku or None,
            "new_lot": typed.new_lot == "yes",
        }
    if "price" in kind.fields:
        values["unit_price"] = _price(typed.unit_price)
    if "to" in kind.fields:
        values["to_location_code"] = _destination(session, bed, typed)
    return _validated(values)


def _quantity(kind: ReportKind, typed: TypedReport) -> int:
    words = typed.quantity.strip()
    if not DIGITS.fullmatch(words) or not 0 < int(words) <= MOST:
        raise ReportFieldWrong(f"{words!r} is no number of plants", field="quantity")
    if kind.sign == 0 and typed.direction not in ("missing", "surplus"):
        raise ReportFieldWrong("say whether plants are missing", field="direction")
    return -int(words) if typed.direction == "missing" and kind.sign == 0 else int(words)


def _price(words: str) -> Decimal | None:
    if not words.strip():
        return None
    try:
        return Decimal(words.strip().replace(",", "."))
    except InvalidOperation as error:
        raise ReportFieldWrong(f"{words!r} is no price", field="unit_price") from error


def _destination(session: Session, bed: StorageLocation, typed: TypedReport) -> str:
    if not typed.to.strip():
        raise ReportFieldWrong("say where the plants go", field="to")
    return bed_named(session, typed.to, bed).code


def _validated(values: dict[str, Any]) -> MovementCreate:
    try:
        return REQUEST.validate_python(values)
    except ValidationError as error:
        names = {"occurred_at": "when"}
        name = str(error.errors()[0]["loc"][-1])
        raise ReportFieldWrong(str(error), field=names.get(name, name)) from error
