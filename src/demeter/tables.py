"""Every table's class, imported once so that foreign keys between features resolve."""

from demeter.accounts import models as accounts
from demeter.catalog import models as catalog
from demeter.core import (
    backup_runs,
    blob_drops,
    blobs,
    idempotency_keys,
    job_deaths,
    retention_runs,
    step_times,
)
from demeter.counts import models as counts
from demeter.imports import models as imports
from demeter.locations import models as locations
from demeter.periods import models as periods
from demeter.photos import models as photos
from demeter.photos.resumable import models as resumable
from demeter.pricing import models as pricing
from demeter.review import models as review
from demeter.stock import models as stock
from demeter.vision_models import models as vision_models
from demeter.webhooks import models as webhooks

__all__ = [
    "accounts",
    "backup_runs",
    "blob_drops",
    "blobs",
    "catalog",
    "counts",
    "idempotency_keys",
    "imports",
    "job_deaths",
    "locations",
    "periods",
    "photos",
    "pricing",
    "resumable",
    "retention_runs",
    "review",
    "step_times",
    "stock",
    "vision_models",
    "webhooks",
]
