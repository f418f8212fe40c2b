"""All beds: on a desk as tiles by greenhouse with a card beside them, on a phone as a list."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.counts.bed_list import BedRow, bed_rows, next_of_round
from demeter.photos.bed_sessions import bed_thumbnails
from demeter.stock import lookup
from demeter.web import render
from demeter.web.bed_list import MOST_LISTED, BedFilter, bed_houses
from demeter.web.pages.bed import mid_sentence
from demeter.web.short_dates import ShortDates

router = APIRouter(prefix="/beds")

Words = Annotated[str, Query(max_length=200)]


@router.get("", **requires(Permission.SEE))
def show_beds(
    request: Request,
    warehouse: Words = "",
    area: Words = "",
    only: Words = "",
    product: Words = "",
    text: Words = "",
    view: Words = "",
) -> Response:
    """Beds in use, narrowed by greenhouse, area, product, state and name."""
    plain = [words.replace("\x00", "") for words in (warehouse, area, only, product, text)]
    asked = BedFilter(*plain)
    with transaction() as session:
        rows = bed_rows(session)
        return _page(request, session, rows, asked, is_list=view == "list")


def _page(
    request: Request, session: Session, rows: list[BedRow], asked: BedFilter, *, is_list: bool
) -> Response:
    found = asked.keep(rows)
    upcoming = next_of_round(rows)
    listed = _listed(found, asked, upcoming)
    shown = upcoming if upcoming in found else (found[0] if found else None)
    values = _card(session, shown) if shown else {"bed": None, "picture": None}
    return _rendered(
        request,
        "beds/list.html",
        houses=bed_houses(found, asked),
        listed=listed[:MOST_LISTED],
        left=len(listed) - len(listed[:MOST_LISTED]),
        pictures=bed_thumbnails(session, [row.location_id for row in listed[:MOST_LISTED]]),
        states=Counter(row.state.value for row in rows),
        beds=len(rows),
        found=len(found),
        areas=_areas(rows),
        warehouses=_pairs((row.warehouse_code, row.warehouse_name) for row in rows),
        products=sorted(_pairs((row.product_code, row.product_name) for row in rows), key=_name),
        upcoming=upcoming,
        asked=asked,
        is_list=is_list,
        address=_address(asked),
        **values,
    )


@router.get("/{code}/card", **requires(Permission.SEE))
def show_card(request: Request, code: str) -> Response:
    """A bed in a few words, for the side of the tiles."""
    with transaction() as session:
        bed = lookup.location(session, code)
        (row,) = bed_rows(session, bed.code) or (None,)
        return _rendered(request, "beds/card.html", **_card(session, row))


def _card(session: Session, row: BedRow | None) -> dict[str, Any]:
    pictures = bed_thumbnails(session, [row.location_id]) if row else {}
    return {"bed": row, "picture": pictures.get(row.location_id) if row else None}


def _listed(found: list[BedRow], asked: BedFilter, upcoming: BedRow | None) -> list[BedRow]:
    """The rows of a phone: what is asked for; else the area in which the round goes on."""
    if asked.is_any or not found:
        return found
    area = (upcoming or found[0]).area_code
    return [row for row in found if row.area_code == area]


def _areas(rows: list[BedRow]) -> list[tuple[str, str, int]]:
    """Areas with their greenhouse, and how many of their beds were not counted this month."""
    names = _pairs((row.area_code, f"{row.warehouse_name} · {row.area_name}") for row in rows)
    left = Counter(row.area_code for row in rows if not row.is_done)
    return [(code, name, left[code]) for code, name in names]


def _pairs(pairs: Any) -> list[tuple[str, str]]:
    return list(dict.fromkeys(pair for pair in pairs if pair[0]))


def _name(pair: tuple[str, str]) -> str:
    return pair[1].lower()


def _address(asked: BedFilter) -> Any:
    """The address of this page with some of what it asks for changed."""

    def changed(**values: str) -> str:
        names = ("warehouse", "area", "only", "product", "text")
        wanted = {name: getattr(asked, name) for name in names} | values
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"/beds?{query}" if query else "/beds"

    return changed


def _rendered(request: Request, template: str, **values: Any) -> Response:
    short = ShortDates(render.words_of(request))
    return render.page(request, template, short=short, word_of=mid_sentence, **values)
