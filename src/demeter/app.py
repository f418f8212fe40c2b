"""What Demeter serves, in the order of a table of contents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

import demeter
from demeter import tables
from demeter.accounts import api as people
from demeter.accounts import api_nursery, audit, policy
from demeter.catalog import api as catalog
from demeter.catalog import api_registers as catalog_registers
from demeter.core import logs, nursery, private_files, traces
from demeter.core.http import health, openapi, permissions, problems, traffic
from demeter.core.http.bodies import BodyLimits
from demeter.core.http.guards import Guards
from demeter.core.http.query_parameters import refuse_unknown
from demeter.core.http.requests import RequestIds
from demeter.counts import api as counts
from demeter.counts import api_daily as daily_counts
from demeter.counts.sheets import api as sheets
from demeter.imports import api as imports
from demeter.locations import api as places
from demeter.monitoring import api as monitoring
from demeter.periods import api as periods
from demeter.photos import api as photos
from demeter.photos import api_evidence as evidence
from demeter.photos.resumable import api as resumable
from demeter.pricing import api as pricing
from demeter.review import api as decisions
from demeter.review import api_containers as containers
from demeter.review import api_corrections as corrections
from demeter.review import api_counts as count_decisions
from demeter.stock import api as stock
from demeter.web import assets, errors, language
from demeter.web.pages import (
    bed,
    bed_counts,
    bed_reports,
    beds,
    changes,
    components,
    count,
    door,
    growing,
    me,
    more,
    movements,
    nursery_page,
    phones,
    reference,
    review,
    review_actions,
    search,
    session,
    session_actions,
    sessions,
    today,
    waiting_counts,
)
from demeter.web.pages import catalog as catalog_pages
from demeter.web.pages import evidence as evidence_pages
from demeter.web.pages import gallery as gallery_pages
from demeter.web.pages import imports as import_pages
from demeter.web.pages import jobs as job_pages
from demeter.web.pages import labels as label_pages
from demeter.web.pages import people as people_pages
from demeter.web.pages import places as place_pages
from demeter.web.pages import stock as stock_pages
from demeter.web.pages import webhooks as webhook_pages
from demeter.webhooks import api as webhooks

ABOUT = """Photos become counts, and counts become stock.

`null` means "not known" and comes with a reason; it is never 0. Errors are RFC 9457 problems
whose `type` is stable. Every POST takes an `Idempotency-Key`.
"""

TAGS = {
    "photos": "Photos in, the sessions that count them, and their pictures.",
    "decisions": "What a person decides about a session.",
    "corrections": "Numbers and marks that a person corrects, and recounts made blind.",
    "locations": "Locations, and what grows there.",
    "catalog": "Products, packaging, prices, and what belongs to them.",
    "evidence": "Sessions, images, detections, lots and movements, as they are stored.",
    "stock": "Movements of the ledger, and plants on hand.",
    "counts": "Counts by hand and by sheet, and what is done to counts afterwards.",
    "periods": "Month's end.",
    "places": "Greenhouses, areas, beds and bins: their tables, where they are, and labels.",
    "imports": "Places and lists from files: previewed, carried out, taken back.",
    "people": "People, what they log in with, and the record of changes.",
    "webhooks": "Other programs that are told what happened, and what they were told.",
    "health": "Whether the server runs, and can do its work.",
}


API = (
    photos,
    resumable,
    decisions,
    catalog,
    catalog_registers,
    pricing,
    evidence,
    stock,
    daily_counts,
    sheets,
    counts,
    count_decisions,
    periods,
    corrections,
    containers,
    imports,
    places,
    people,
    api_nursery,
    webhooks,
    health,
    monitoring,
    openapi,
)
PAGES = (
    today,
    sessions,
    count,
    stock_pages,
    movements,
    search,
    waiting_counts,
    review,
    review_actions,
    session,
    session_actions,
    reference,
    language,
    door,
    growing,
    beds,
    bed_reports,
    bed_counts,
    bed,
    catalog_pages,
    evidence_pages,
    gallery_pages,
    job_pages,
    people_pages,
    place_pages,
    import_pages,
    label_pages,
    me,
    more,
    phones,
    nursery_page,
    changes,
    webhook_pages,
    components,
)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    """A signal that ends the server runs nothing after this."""
    yield
    await run_in_threadpool(traces.end)


def create_app() -> FastAPI:
    """The whole server: what `uvicorn --factory demeter.app:create_app` runs."""
    private_files.keep_private()
    logs.configure()
    traces.configure("demeter-web")
    audit.install()
    nursery.follow()
    assert tables.photos  # every table's class is known before the first query
    app = FastAPI(
        title="Demeter",
        version=demeter.version(),
        description=ABOUT,
        openapi_tags=[{"name": tag, "description": text} for tag, text in TAGS.items()],
        dependencies=[Depends(traffic.note_route), Depends(refuse_unknown)],
        openapi_url=None,  # `openapi` and `reference` serve it under a permission; FastAPI's own
        docs_url=None,  # pages would load scripts from other hosts
        redoc_url=None,
        generate_unique_id_function=openapi.operation_id,
        lifespan=_lifespan,
        middleware=[
            Middleware(RequestIds),  # outermost: answers what nobody else answered
            Middleware(Guards),
            Middleware(BodyLimits),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
    )
    problems.install(app, page=errors.page)
    permissions.install(app, check=policy.check)

    for each in API:
        app.include_router(each.router)
    for each in PAGES:
        app.include_router(each.router, include_in_schema=False)
    document = app.openapi
    app.openapi = lambda: openapi.complete(document())
    app.mount("/static", assets.files(), name="static")
    return app
