"""Places, lots and products by the codes that people use; what is not there is named."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import Packaging, Product, ProductSize, ProductState
from demeter.locations.models import StorageArea, StorageBin, StorageLocation, Warehouse
from demeter.stock.errors import NoSuch
from demeter.stock.models import StockBatch


def location(session: Session, code: str) -> StorageLocation:
    """The location of this code."""
    return _one(session, StorageLocation, StorageLocation.code, code, "location")


def bin_(session: Session, code: str) -> StorageBin:
    """The bin of this code."""
    return _one(session, StorageBin, StorageBin.code, code, "bin")


def batch(session: Session, code: str) -> StockBatch:
    """The lot of this code."""
    return _one(session, StockBatch, StockBatch.batch_code, code, "lot")


def product(session: Session, code: str) -> Product:
    """The product of this code."""
    return _one(session, Product, Product.code, code, "product")


def state(session: Session, name: str) -> ProductState:
    """The product state of this name, in any case."""
    return _one(session, ProductState, ProductState.name, name.upper(), "product state")


def size(session: Session, code: str) -> ProductSize:
    """The product size of this code."""
    return _one(session, ProductSize, ProductSize.code, code.upper(), "product size")


def packaging(session: Session, sku: str) -> Packaging:
    """The packaging of this SKU."""
    return _one(session, Packaging, Packaging.sku, sku, "packaging")


def warehouse(session: Session, code: str) -> Warehouse:
    """The warehouse of this code."""
    return _one(session, Warehouse, Warehouse.code, code, "warehouse")


def area(session: Session, code: str) -> StorageArea:
    """The storage area of this code."""
    return _one(session, StorageArea, StorageArea.code, code, "area")


def _one(session: Session, table: Any, column: Any, value: str, kind: str) -> Any:
    found = session.scalar(select(table).where(column == value))
    if found is None:
        raise NoSuch(f"there is no {kind} {value!r}", kind=kind, name=value)
    return found
