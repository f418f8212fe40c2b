"""What is refused about products, packaging, and what grows where."""

from __future__ import annotations

from demeter.core.errors import InvalidInput


class FamilyOfOther(InvalidInput):
    """A product names a family that belongs to another category than its own."""

    code = "family_of_other"
    title = "This family belongs to another category"
    next_action = "Choose a family of the product's category, or none."
