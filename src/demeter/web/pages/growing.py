"""What grows where: beds as tiles by greenhouse, and one form that says it for many of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from demeter.accounts import identity
from demeter.accounts.identity import acting_user
from demeter.catalog import queries, service
from demeter.catalog.schemas import LocationConfigRead
from demeter.core.db import transaction
from demeter.core.errors import DomainError, InvalidInput
from demeter.core.http.permissions import requires
from demeter.core.permissions import ROLES, Permission
from demeter.stock import lookup
from demeter.vision.values import CountUnit
from demeter.web import render

router = APIRouter(prefix="/growing")

COLOURS = 6  # products that have a colour and pattern of their own, those of most beds
Code = Annotated[str, Form(max_length=200)]
NOTHING_TYPED = dict.fromkeys(
    ("product_code", "state", "packaging_sku", "count_unit", "framed_whole"), ""
)
YES_NO = {"yes": True, "no": False}


class NothingChosen(InvalidInput):
    """No bed was ticked, or no product or state chosen."""

    code = "nothing_chosen"
    title = "Nothing was chosen"
    next_action = "Tick the beds, and choose a product and its state."


@dataclass(frozen=True, slots=True)
class BedTile:
    """A bed; ``short`` is its number or the end of its name, ``colour`` 0 where none is known."""

    bed: LocationConfigRead
    short: str
    colour: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class GrowingArea:
    """A bed of a greenhouse with its tiles in walking order."""

    name: str
    tiles: tuple[BedTile, ...]


@dataclass(frozen=True, slots=True)
class GrowingHouse:
    """A greenhouse, what grows in it, and of how many of its beds nobody has said it."""

    code: str
    name: str
    beds: int
    unsaid: int
    products: tuple[str, ...]
    areas: tuple[GrowingArea, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class GrowingProduct:
    """A line of the legend."""

    name: str
    beds: int
    colour: int


@router.get("", **requires(Permission.SEE))
def show_growing(
    request: Request,
    warehouse: str = "",
    only: str = "",
    choose: str = "",
    saved: int = 0,
    retried: int = 0,
) -> Response:
    """All greenhouses or one; ``only`` unsaid or waiting beds, and those that are ticked."""
    view = {"warehouse": warehouse.replace("\x00", ""), "only": only, "choose": choose}
    return _page(request, view, saved=saved, retried=retried)


@router.post("", **requires(Permission.DECIDE))
def say_growing(
    request: Request,
    location: Annotated[list[str] | None, Form()] = None,
    product_code: Code = "",
    state: Code = "",
    packaging_sku: Code = "",
    count_unit: Code = "",
    framed_whole: Code = "",
    act: Code = "say",
    warehouse: Code = "",
) -> Response:
    """From now on that grows in the beds that are ticked, or nothing is said of them."""
    typed = {
        "location": location or [],
        "product_code": product_code,
        "state": state,
        "packaging_sku": packaging_sku,
        "count_unit": count_unit,
        "framed_whole": framed_whole,
    }
    try:
        with transaction() as session:
            acting_user(session)
            retried = (_clear if act == "clear" else _say)(session, typed)
    except DomainError as error:
        return _page(request, {"warehouse": warehouse}, typed=typed, error=error)
    there = f"/growing?saved={len(typed['location'])}&retried={retried}"
    if re.fullmatch(r"[A-Z0-9_-]{1,50}", warehouse):
        there += f"&warehouse={warehouse}"
    return RedirectResponse(there, status_code=303)


def _say(session: Session, typed: dict[str, Any]) -> int:
    """How many counts waited for it.

    Raises:
        NothingChosen: no bed, no product or no state.
    """
    codes = [code.replace("\x00", "") for code in typed["location"]]
    product, state, packaging = (
        typed[name].replace("\x00", "") for name in ("product_code", "state", "packaging_sku")
    )
    if not codes or not product or not state:
        raise NothingChosen("beds, a product and its state are needed")
    growing = lookup.growing(session, product, state, packaging or None)
    units = [unit.value for unit in CountUnit]
    unit = CountUnit(typed["count_unit"]) if typed["count_unit"] in units else None
    setting = service.Setting(YES_NO.get(typed["framed_whole"]), names_unit=True, count_unit=unit)
    waiting = sum(row.waiting for row in queries.location_configs_of(session, codes))
    locations = [lookup.location(session, code) for code in dict.fromkeys(codes)]
    service.set_location_configs(session, locations, growing, setting)
    return waiting


def _clear(session: Session, typed: dict[str, Any]) -> int:
    if not typed["location"]:
        raise NothingChosen("beds are needed")
    for code in sorted(dict.fromkeys(typed["location"])):
        service.clear_location_config(session, lookup.location(session, code.replace("\x00", "")))
    return 0


def _page(
    request: Request,
    view: dict[str, str],
    *,
    typed: dict[str, Any] | None = None,
    error: DomainError | None = None,
    saved: int = 0,
    retried: int = 0,
) -> Response:
    with transaction() as session:
        everything = queries.location_configs(session)
        choices = queries.growing_choices(session)
    chosen = set(typed["location"]) if typed else _ticked(everything, view)
    beds = [bed for bed in everything if _is_wanted(bed, view)]
    legend = _legend(everything)
    acting = identity.current()
    return render.page(
        request,
        "growing/page.html",
        status_code=error.status if error else 200,
        houses=_houses(beds, legend, chosen, view),
        warehouses=sorted({(b.warehouse_code, b.warehouse_name) for b in everything}),
        legend=legend,
        unsaid=sum(bed.product_code is None for bed in everything),
        waiting=sum(bed.waiting for bed in everything),
        chosen=len(chosen),
        any_beds=bool(everything),
        view={"warehouse": "", "only": "", "choose": ""} | view,
        typed=NOTHING_TYPED | (typed or {}),
        choices=choices,
        units=list(CountUnit),
        problem=error.problem() if error else None,
        saved=saved,
        retried=retried,
        may_say=acting is not None and acting.role in ROLES[Permission.DECIDE],
    )


def _is_wanted(bed: LocationConfigRead, view: dict[str, str]) -> bool:
    if view.get("warehouse") and bed.warehouse_code != view["warehouse"]:
        return False
    match view.get("only"):
        case "unsaid":
            return bed.product_code is None
        case "waiting":
            return bed.waiting > 0
        case _:
            return True


def _ticked(beds: Sequence[LocationConfigRead], view: dict[str, str]) -> set[str]:
    """Beds that are ticked already, because the address asks for them, or for one by its code."""
    if view.get("choose") not in ("unsaid", "waiting"):
        return {bed.location_code for bed in beds if bed.location_code == view.get("choose")}
    wanted = {"warehouse": view.get("warehouse", ""), "only": view["choose"]}
    return {bed.location_code for bed in beds if _is_wanted(bed, wanted)}


def _legend(beds: Sequence[LocationConfigRead]) -> list[GrowingProduct]:
    """Products by the number of their beds; the first have a colour."""
    counts: dict[str, int] = {}
    for bed in beds:
        if bed.product_name is not None:
            counts[bed.product_name] = counts.get(bed.product_name, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        GrowingProduct(name, n, position if position <= COLOURS else COLOURS + 1)
        for position, (name, n) in enumerate(ordered, start=1)
    ]


def _houses(
    beds: Sequence[LocationConfigRead],
    legend: Sequence[GrowingProduct],
    chosen: set[str],
    view: dict[str, str],
) -> list[GrowingHouse]:
    colours = {product.name: product.colour for product in legend}
    houses = []
    for (code, name), group in groupby(beds, key=lambda b: (b.warehouse_code, b.warehouse_name)):
        rows = list(group)
        unsaid = sum(bed.product_code is None for bed in rows)
        is_sought = bool(view.get("warehouse") or view.get("only"))
        has_ticks = any(bed.location_code in chosen for bed in rows)
        houses.append(
            GrowingHouse(
                code,
                name,
                len(rows),
                unsaid,
                tuple(sorted({bed.product_name for bed in rows if bed.product_name})),
                tuple(
                    GrowingArea(area, tuple(_tile(bed, colours, chosen) for bed in tiles))
                    for area, tiles in groupby(rows, key=lambda bed: bed.area_name)
                ),
                is_open=is_sought or has_ticks or unsaid > 0,
            )
        )
    return houses


def _tile(bed: LocationConfigRead, colours: dict[str, int], chosen: set[str]) -> BedTile:
    number = re.search(r"\d+(?!.*\d)", bed.name)
    short = str(int(number[0])) if number else bed.name[-3:]
    colour = colours.get(bed.product_name or "", 0)
    return BedTile(bed, short, colour, bed.location_code in chosen)
