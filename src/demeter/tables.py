"""Every table's class, imported once so that foreign keys between features resolve."""

from demeter import blobs
from demeter.accounts import models as accounts
from demeter.catalog import models as catalog
from demeter.locations import models as locations
from demeter.photos import models as photos
from demeter.stock import models as stock

__all__ = ["accounts", "blobs", "catalog", "locations", "photos", "stock"]
