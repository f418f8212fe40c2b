"""What a person is offered to do about a session that waits, the likeliest of it last."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from demeter.core.permissions import Permission

# Each act with its key and with what its route asks for.
KEYS = {
    "discard": "D",
    "correct": "E",
    "accept": "A",
    "move": "4",
    "location": "1",
    "config": "1",
    "grow-held": "1",
    "confirm-empty": "1",
    "another-photo": "1",
    "reprocess": "2",
    "post": "1",
    "repost": "1",
    "blind-recount": "1",
}
ASKS = {
    "discard": Permission.REPORT,
    "correct": Permission.DECIDE,
    "accept": Permission.DECIDE,
    "move": Permission.REPORT,
    "location": Permission.REPORT,
    "config": Permission.DECIDE,
    "grow-held": Permission.DECIDE,
    "confirm-empty": Permission.DECIDE,
    "another-photo": Permission.REPORT,
    "reprocess": Permission.DECIDE,
    "post": Permission.DECIDE,
    "repost": Permission.DECIDE,
    "blind-recount": Permission.REPORT,
}
# Besides these, all may be discarded. The likeliest is the first.
BY_REASON = {
    "implausible_change": ("accept", "correct", "move"),
    "location_unknown": ("location",),
    "two_labels": ("location",),
    "location_gone": ("location",),
    "no_config": ("config", "correct"),
    "needs_config": ("config", "correct"),
    "other_product": ("grow-held", "accept", "correct", "move"),
    "may_show_no_plants": ("confirm-empty", "accept", "correct", "move"),
    "interval_too_wide": ("correct", "accept", "move"),
    "unit_not_as_set": ("reprocess", "accept", "correct"),
    "unit_not_as_last": ("accept", "reprocess", "correct"),
    "units_of_photos_differ": ("reprocess", "correct", "accept"),
    "estimate_unknown": ("correct", "accept", "move"),
    "photos_may_overlap": ("accept", "correct", "move"),
    "image_failed": ("another-photo", "accept", "correct", "reprocess"),
    "no_container_found": ("confirm-empty", "reprocess"),
    "no_image_counted": ("another-photo", "reprocess"),
    "blind_recount": ("blind-recount",),
    "stock_would_be_negative": ("post", "correct"),
    "period_closed": ("post",),
    "voided": ("repost",),
}
FAILED = ("another-photo", "reprocess")
FIRST = ("discard", "correct", "accept")  # wherever they are, in this order


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be done, and its key."""

    act: str
    key: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What speaks for another bed, or for another product in this one."""

    is_far: bool = False
    is_other_product: bool = False


def offers_of(
    reason: str,
    disagreement: Disagreement,
    may: Callable[[Permission], bool],
    *,
    left_out: Collection[str] = (),
) -> tuple[Offer, ...]:
    """Discard, correct, accept, then the rest, and the likeliest last.

    ``left_out`` cannot be done here although the reason has it. Who may not do the likeliest
    is offered what is left, and none of it as the likeliest.
    """
    likeliest, *others = _acts(reason, disagreement)
    acts = ["discard", *others]
    ordered = [act for act in FIRST if act in acts] + [a for a in acts if a not in FIRST]
    offers = [Offer(act, KEYS[act], is_primary=False) for act in ordered]
    offers.append(Offer(likeliest, KEYS[likeliest], is_primary=True))
    return tuple(o for o in offers if may(ASKS[o.act]) and o.act not in left_out)


def _acts(reason: str, disagreement: Disagreement) -> tuple[str, ...]:
    acts = BY_REASON.get(reason, FAILED)
    disagrees = disagreement.is_far or disagreement.is_other_product
    if reason == "implausible_change" and disagrees:
        return ("move", *(act for act in acts if act != "move"))
    if reason == "other_product" and disagreement.is_far:
        return ("move", *(act for act in acts if act != "move"))
    return acts
