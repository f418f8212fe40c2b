"""Places, lots and products by the codes that people use; what is not there is named."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product, ProductSize, ProductState
from demeter.catalog.service import Growing
from demeter.locations.models import StorageArea, StorageBin, StorageLocation, Warehouse
from demeter.stock.errors import NameNotFound
from demeter.stock.models import StockBatch

MOST_NAMED = 5
FEW = ("location", "product", "product state", "product size", "packaging")


def location(session: Session, code: str) -> StorageLocation:
    """The location of this code."""
    return _row_named(session, StorageLocation, StorageLocation.code, code, "location")


def storage_bin(session: Session, code: str) -> StorageBin:
    """The bin of this code."""
    return _row_named(session, StorageBin, StorageBin.code, code, "bin")


def batch(session: Session, code: str) -> StockBatch:
    """The lot of this code."""
    return _row_named(session, StockBatch, StockBatch.batch_code, code, "lot")


def product(session: Session, code: str) -> Product:
    """The product of this code."""
    return _row_named(session, Product, Product.code, code, "product")


def state(session: Session, name: str) -> ProductState:
    """The product state of this name, in any case."""
    return _row_named(session, ProductState, ProductState.name, name.upper(), "product state")


def growing(
    session: Session, product_code: str, state_name: str, packaging_sku: str | None
) -> Growing:
    """A product in a state, in a packaging or in none, by the names that people use."""
    return Growing(
        product(session, product_code).id,
        state(session, state_name).product_state_id,
        packaging(session, packaging_sku).id if packaging_sku else None,
    )


def size(session: Session, code: str) -> ProductSize:
    """The product size of this code."""
    return _row_named(session, ProductSize, ProductSize.code, code.upper(), "product size")


def packaging(session: Session, sku: str) -> Packaging:
    """The packaging of this SKU."""
    return _row_named(session, Packaging, Packaging.sku, sku, "packaging")


def warehouse(session: Session, code: str) -> Warehouse:
    """The warehouse of this code."""
    return _row_named(session, Warehouse, Warehouse.code, code, "warehouse")


def area(session: Session, code: str) -> StorageArea:
    """The storage area of this code."""
    return _row_named(session, StorageArea, StorageArea.code, code, "area")


def _row_named(session: Session, table: Any, column: Any, value: str, kind: str) -> Any:
    row = session.scalar(select(table).where(column == value))
    if row is None:
        near = _near_names(session, column, value) if kind in FEW else []
        there_are = f"; near it are {', '.join(near)}" if near else ""
        raise NameNotFound(
            f"there is no {kind} {value!r}{there_are}", kind=kind, name=value, nearest=near
        )
    return row


def _near_names(session: Session, column: Any, value: str) -> list[str]:
    return get_close_matches(value, list(session.scalars(select(column))), MOST_NAMED, cutoff=0)
