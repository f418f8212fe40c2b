"""The pages of places: greenhouses, areas, beds, bins, and labels for them."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.locations.registers import PLACES
from demeter.web.registers import Shelf, add_pages

LINKS = (
    ("/imports?kind=places", "upload", "imports.of_places"),
    ("/labels", "qr-code", "labels.title"),
)
SHELF = Shelf("/places", "nav.places", PLACES, LINKS)
router = APIRouter()
add_pages(router, SHELF)
