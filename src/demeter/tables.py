"""Every table's class, imported once so that foreign keys between features resolve."""

from demeter.accounts import models as accounts
from demeter.catalog import models as catalog
from demeter.core import blobs
from demeter.locations import models as locations
from demeter.periods import models as reconciliation
from demeter.photos import models as photos
from demeter.stock import models as stock
from demeter.vision_models import models as learning

__all__ = [
    "accounts",
    "blobs",
    "catalog",
    "learning",
    "locations",
    "photos",
    "reconciliation",
    "stock",
]
