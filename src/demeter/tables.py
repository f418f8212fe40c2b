"""Every table's class, imported once so that foreign keys between features resolve."""

from demeter.accounts import models as accounts
from demeter.catalog import models as catalog
from demeter.core import blobs
from demeter.learning import models as learning
from demeter.locations import models as locations
from demeter.photos import models as photos
from demeter.reconciliation import models as reconciliation
from demeter.stock import models as stock

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
