"""Pages of what photos and people left, as it is stored."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.photos.registers import EVIDENCE_OF_PHOTOS
from demeter.stock.registers import EVIDENCE_OF_STOCK
from demeter.web.registers import Shelf, add_pages

SHELF = Shelf("/evidence", "nav.evidence", (*EVIDENCE_OF_PHOTOS, *EVIDENCE_OF_STOCK))
router = APIRouter()
add_pages(router, SHELF)
