"""The catalog's tables of master data, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from demeter.catalog.registers import CATALOG
from demeter.core.http.openapi import PROBLEMS
from demeter.core.registers.routes import add_routes

router = APIRouter(tags=["catalog"], responses=PROBLEMS)
add_routes(router, *CATALOG)
