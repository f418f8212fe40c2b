"""What is refused about products, packaging, and what grows where."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput


class FamilyOfOther(InvalidInput):
    """A product names a family that belongs to another category than its own."""

    code = "family_of_other"
    title = "This family belongs to another category"
    next_action = "Choose a family of the product's category, or none."


class CatalogInactive(Conflict):
    """A product, state or packaging that is out of use is to grow somewhere."""

    code = "catalog_inactive"
    title = "This is out of use"
    next_action = "Choose another, or put it into use again."
