"""The catalog's pages: products, packaging, prices, and what belongs to them."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.catalog.registers import CATALOG
from demeter.pricing.registers import PRICES
from demeter.web.registers import Shelf, add_pages

LINKS = (("/imports", "upload", "imports.of_lists"),)
SHELF = Shelf("/catalog", "nav.catalog", (*CATALOG, PRICES), LINKS)
router = APIRouter()
add_pages(router, SHELF)
