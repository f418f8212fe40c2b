"""What accepting a count would do to stock: pure, from what stood there and what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from demeter.review.bed_history import HeldPlants

# Acceptance does not settle these: nothing would be posted.
UNSETTLED = frozenset(
    ("no_config", "needs_config", "stock_would_be_negative", "period_closed", "voided")
)


@dataclass(frozen=True, slots=True)
class AcceptancePreview:
    """By product's code what its stock changes by; nothing, and it waits on, where ``waits``."""

    changes: dict[str, int]
    waits: bool


def preview_acceptance(
    reason: str,
    held: Iterable[HeldPlants],
    counted: int,
    product_code: str | None,
    *,
    is_latest: bool,
) -> AcceptancePreview:
    """A count is a stocktake: what stands there is what it says, of its product and no other.

    A later count of the bed stands: an older one changes nothing today (``is_latest``).
    """
    if reason in UNSETTLED or product_code is None:
        return AcceptancePreview({}, waits=True)
    if not is_latest:
        return AcceptancePreview({}, waits=False)
    changes: Counter[str] = Counter({product_code: counted})
    for kind in held:
        changes[kind.product_code] -= kind.plants
    return AcceptancePreview({code: n for code, n in changes.items() if n}, waits=False)
