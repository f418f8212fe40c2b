"""Prices, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.core.http.openapi import PROBLEMS
from demeter.core.registers.routes import add_routes
from demeter.pricing.registers import PRICES

router = APIRouter(tags=["catalog"], responses=PROBLEMS)
add_routes(router, PRICES)
