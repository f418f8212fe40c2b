"""What is found for some words, in groups, with the figure that belongs to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.search.matching import Typed, is_in_any_order, is_in_order, typed_words, words_of

SHOWN = {"products": 4, "beds": 6, "lots": 4, "sessions": 4, "people": 3}
LOT_WORDS = ("l", "lote", "lot")
MOST_DIGITS = 15
CODE_LENGTH = 6  # from so many characters on, a code or an id is looked for by its beginning


@dataclass(frozen=True, slots=True)
class ProductFound:
    """A product with what is on hand of it; ``plants`` is ``None`` where nobody has counted."""

    code: str
    name: str
    plants: int | None
    beds: int
    lots: int


@dataclass(frozen=True, slots=True)
class BedFound:
    """A bed with what grows there and what stands there; ``status`` of a session that waits."""

    code: str
    name: str
    warehouse_name: str
    area_name: str
    product_name: str | None
    plants: int | None
    status: str | None


@dataclass(frozen=True, slots=True)
class LotFound:
    """A lot with its plants, and when its first movement was."""

    lot_id: int
    product_name: str
    location_name: str
    plants: int
    began_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionFound:
    """A photo session of a bed."""

    session_id: str
    location_name: str | None
    warehouse_name: str | None
    captured_at: datetime
    status: str
    plants: int | None


@dataclass(frozen=True, slots=True)
class PersonFound:
    """Somebody with a role."""

    username: str
    full_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found; ``more_beds`` are beds beyond those that are here."""

    typed: tuple[Typed, ...]
    products: Sequence[ProductFound] = ()
    beds: Sequence[BedFound] = ()
    lots: Sequence[LotFound] = ()
    sessions: Sequence[SessionFound] = ()
    people: Sequence[PersonFound] = ()
    more_beds: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.products or self.beds or self.lots or self.sessions or self.people)


def find(session: Session, words: str, *, with_people: bool) -> Found:
    """What these words mean here; nothing where no word is typed."""
    typed = typed_words(words)
    if not typed:
        return Found(())
    product_ids = _product_ids(session, typed)
    bed_ids = _bed_ids(session, typed)
    return Found(
        typed=typed,
        products=_products(session, product_ids[: SHOWN["products"]]),
        beds=_beds(session, bed_ids[: SHOWN["beds"]]),
        lots=_lots(session, typed, words.strip(), product_ids),
        sessions=_sessions(session, words.strip(), bed_ids[: SHOWN["beds"]]),
        people=_people(session, typed) if with_people else (),
        more_beds=max(0, len(bed_ids) - SHOWN["beds"]),
    )


def _product_ids(session: Session, typed: Sequence[Typed]) -> list[int]:
    rows = session.execute(text(_ALL_PRODUCTS))
    return [
        row.id
        for row in rows
        if is_in_any_order(typed, words_of(f"{row.name} {row.scientific_name or ''} {row.code}"))
    ]


def _bed_ids(session: Session, typed: Sequence[Typed]) -> list[int]:
    """Beds in walking order, those first whose own name has the last word."""
    ranked = []
    for place, row in enumerate(session.execute(text(_ALL_BEDS))):
        if any(is_in_order(typed, way) for way in _ways(*row[1:])):
            is_own = is_in_order(typed[-1:], words_of(row.name))
            ranked.append((not is_own, place, row.location_id))
    return [location_id for *_, location_id in sorted(ranked)]


@lru_cache(maxsize=10_000)  # as `words_of`: beds are seldom renamed
def _ways(
    code: str, name: str, area: str, warehouse: str, product: str | None
) -> tuple[tuple[str, ...], ...]:
    """The orders in which people say where a bed is, and what grows there."""
    own, grows = words_of(name), words_of(product or "")
    outer, inner = words_of(f"{warehouse} {area}"), words_of(f"{area} {warehouse}")
    return (
        (*grows, *outer, *own, *grows),
        (*own, *inner, *grows),
        (*own, *outer, *grows),
        words_of(code),
    )


def _products(session: Session, ids: Sequence[int]) -> list[ProductFound]:
    rows = session.execute(text(_PRODUCTS), {"ids": list(ids)})
    return [ProductFound(r.code, r.name, r.plants, r.beds, r.lots) for r in rows]


def _beds(session: Session, ids: Sequence[int]) -> list[BedFound]:
    rows = session.execute(text(_BEDS), {"ids": list(ids)}).mappings()
    return [BedFound(**row) for row in rows]


def _lots(
    session: Session, typed: Sequence[Typed], words: str, product_ids: Sequence[int]
) -> list[LotFound]:
    """A lot by its number or its code, else the largest of the products that were found."""
    number = _lot_number(typed)
    values = {
        "number": number,
        "code": _beginning(words) if len(words) >= CODE_LENGTH and "-" in words else None,
        "products": list(product_ids[: SHOWN["products"]]),
        "limit": SHOWN["lots"],
    }
    rows = session.execute(text(_LOTS), values).mappings()
    return [LotFound(**row) for row in rows]


def _lot_number(typed: Sequence[Typed]) -> int | None:
    """The number of "412" or "lote 412"; words of 15 digits at most are one."""
    word = "".join(each.word for each in typed)
    numbers = [each.number for each in typed if each.number]
    is_one = word in ("", *LOT_WORDS) and len(numbers) == 1 and len(numbers[0]) <= MOST_DIGITS
    return int(numbers[0]) if is_one else None


def _sessions(session: Session, words: str, bed_ids: Iterable[int]) -> list[SessionFound]:
    is_id = len(words) >= CODE_LENGTH and re.fullmatch(r"[0-9a-fA-F-]+", words)
    values = {
        "beds": list(bed_ids),
        "id": _beginning(words.lower()) if is_id else None,
        "limit": SHOWN["sessions"],
    }
    rows = session.execute(text(_SESSIONS), values).mappings()
    return [SessionFound(**row) for row in rows]


def _people(session: Session, typed: Sequence[Typed]) -> list[PersonFound]:
    rows: Iterable[Any] = session.execute(text(_ALL_PEOPLE))
    found = [
        PersonFound(row.username, row.full_name or row.username, row.role)
        for row in rows
        if is_in_any_order(typed, words_of(f"{row.full_name} {row.username}"))
    ]
    return found[: SHOWN["people"]]


def _beginning(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"{escaped}%"


# A nursery has some thousand beds and some hundred products: they are read whole, and compared
# word by word. What has rows by the ten thousand is looked for by an index.
_ALL_PRODUCTS = "SELECT id, code, name, scientific_name FROM products WHERE active ORDER BY name"
_ALL_BEDS = """
SELECT l.location_id, l.code, l.name, a.name AS area_name, w.name AS warehouse_name,
       p.name AS product_name
FROM storage_locations l
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config c ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
WHERE l.active
ORDER BY w.code, a.code, l.walk_order NULLS LAST, l.code
"""
_ALL_PEOPLE = """
SELECT username, concat_ws(' ', first_name, last_name) AS full_name, role
FROM users WHERE is_active ORDER BY username
"""
_IS_COUNTED = """EXISTS (SELECT FROM counts n WHERE n.storage_location_id = l.location_id
    AND n.posted_at IS NOT NULL AND n.voided_at IS NULL)"""
_PRODUCTS = f"""
SELECT p.code, p.name, coalesce(held.lots, 0) AS lots,
       CASE WHEN held.plants <> 0 OR said.counted > 0 THEN coalesce(held.plants, 0) END AS plants,
       greatest(held.beds, said.beds) AS beds
FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
JOIN products p ON p.id = wanted.id
LEFT JOIN LATERAL (
    SELECT sum(b.quantity_current) AS plants, count(*) AS lots,
           count(DISTINCT s.storage_location_id) AS beds
    FROM stock_batches b JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
    WHERE b.product_id = p.id AND b.quantity_current > 0
) AS held ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS beds, count(*) FILTER (WHERE {_IS_COUNTED}) AS counted
    FROM storage_location_config c
    JOIN storage_locations l ON l.location_id = c.storage_location_id
    WHERE c.product_id = p.id AND c.active AND l.active
) AS said ON true
ORDER BY wanted.place
"""  # noqa: S608  of constants
_BEDS = f"""
SELECT l.code, l.name, w.name AS warehouse_name, a.name AS area_name, p.name AS product_name,
       CASE WHEN held.plants <> 0 OR {_IS_COUNTED} THEN coalesce(held.plants, 0) END AS plants,
       (SELECT f.status FROM photo_processing_sessions f
        WHERE f.storage_location_id = l.location_id
          AND f.status IN ('needs_config', 'needs_review', 'failed')
        ORDER BY f.id DESC LIMIT 1) AS status
FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS wanted (id, place)
JOIN storage_locations l ON l.location_id = wanted.id
JOIN storage_areas a USING (storage_area_id)
JOIN warehouses w USING (warehouse_id)
LEFT JOIN storage_location_config c ON c.storage_location_id = l.location_id AND c.active
LEFT JOIN products p ON p.id = c.product_id
LEFT JOIN LATERAL (
    SELECT sum(b.quantity_current) AS plants
    FROM storage_bins s JOIN stock_batches b ON b.current_storage_bin_id = s.bin_id
    WHERE s.storage_location_id = l.location_id
) AS held ON true
ORDER BY wanted.place
"""  # noqa: S608  of constants
_LOTS = """
SELECT b.id AS lot_id, p.name AS product_name, l.name AS location_name,
       b.quantity_current AS plants,
       (SELECT min(m.occurred_at) FROM stock_movements m WHERE m.batch_id = b.id) AS began_at
FROM (
    SELECT * FROM stock_batches WHERE id = CAST(:number AS bigint)
    UNION
    SELECT * FROM (SELECT * FROM stock_batches WHERE batch_code ILIKE CAST(:code AS text)
                   ORDER BY id LIMIT :limit) AS by_code
    UNION
    SELECT * FROM (SELECT * FROM stock_batches
                   WHERE product_id = ANY(CAST(:products AS bigint[])) AND quantity_current > 0
                   ORDER BY quantity_current DESC, id LIMIT :limit) AS of_product
) AS b
JOIN products p ON p.id = b.product_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN storage_locations l ON l.location_id = s.storage_location_id
ORDER BY b.id = CAST(:number AS bigint) DESC NULLS LAST, b.quantity_current DESC, b.id
LIMIT :limit
"""
_SESSIONS = """
SELECT CAST(f.session_id AS text) AS session_id, l.name AS location_name,
       w.name AS warehouse_name, f.captured_at, f.status,
       (SELECT c.plants FROM counts c WHERE c.processing_session_id = f.id
            AND c.posted_at IS NOT NULL AND c.voided_at IS NULL) AS plants
FROM (
    SELECT * FROM photo_processing_sessions
    WHERE storage_location_id = ANY(CAST(:beds AS bigint[]))
       OR CAST(session_id AS text) LIKE CAST(:id AS text)
    ORDER BY id DESC LIMIT :limit
) AS f
LEFT JOIN storage_locations l ON l.location_id = f.storage_location_id
LEFT JOIN storage_areas a USING (storage_area_id)
LEFT JOIN warehouses w USING (warehouse_id)
ORDER BY f.id DESC
"""
