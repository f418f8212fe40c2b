"""What photos left as evidence, and the ledger's rows as they are, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.core.http.openapi import PROBLEMS
from demeter.core.registers.routes import add_routes
from demeter.photos.registers import EVIDENCE_OF_PHOTOS
from demeter.stock.registers import EVIDENCE_OF_STOCK

router = APIRouter(tags=["evidence"], responses=PROBLEMS)
add_routes(router, *EVIDENCE_OF_PHOTOS, *EVIDENCE_OF_STOCK)
