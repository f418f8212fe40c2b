"""Why a session waits, in the words of its page: texts by key, with their numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from demeter.review.case import ReviewCase
from demeter.review.container_standing import ContainerChange

MANY = 0.95  # of the containers seen: less of them may be another bed, or a part of one
NOT_FIGURES = frozenset(
    ("location_unknown", "two_labels", "location_gone", "blind_recount", "no_image_counted")
)

SAID_ELSEWHERE = frozenset(
    (
        "implausible_change",
        "other_product",
        "no_config",
        "no_container_found",
        "no_image_counted",
        "may_show_no_plants",
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text by its key, with what its blanks are filled with."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


def shows_figures(case: ReviewCase) -> bool:
    """Whether two numbers decide about it: what stood there, and what the photo shows."""
    return (
        case.reason not in NOT_FIGURES
        and not case.is_blind
        and (case.answer is not None or case.reason == "no_container_found")
    )


def tells_notices(case: ReviewCase) -> bool:
    """Whether its notices say more than the figures and the page's own sentences."""
    return bool(case.session.reasons) and not case.is_blind and case.reason not in SAID_ELSEWHERE


def lead(case: ReviewCase) -> Sentence | None:
    """The first sentence, where the figures say more than the reason's own title."""
    if case.reason != "implausible_change" or case.change is None:
        return None
    noted = bool(case.history and case.history.noted)
    kind = "missing" if case.change < 0 else "more"
    return Sentence(f"review.why.{kind}_{'noted' if noted else 'unnoted'}", {"n": abs(case.change)})


def details(case: ReviewCase) -> list[Sentence]:
    """What else speaks for or against it."""
    found = [_products(case), _part(case), _far(case)]
    return [sentence for sentence in found if sentence is not None and not case.is_blind]


def since(moment: datetime) -> Sentence:
    """How long ago something was, in words."""
    passed = datetime.now(UTC) - moment
    if passed < timedelta(hours=1):
        return Sentence("review.ago.minutes", {"n": max(1, passed // timedelta(minutes=1))})
    if passed < timedelta(days=1):
        return Sentence("review.ago.hours", {"n": passed // timedelta(hours=1)})
    return Sentence("review.ago.days", {"n": passed // timedelta(days=1)})


def products(case: ReviewCase) -> dict[str, str]:
    """Names of the products that the page speaks of, by their codes."""
    names = (
        {kind.product_code: kind.product_name for kind in case.history.held}
        if (case.history)
        else {}
    )
    if case.bed is not None and case.bed.product_code and case.bed.product_name:
        names[case.bed.product_code] = case.bed.product_name
    return names


def container_word(case: ReviewCase) -> str:
    """The text for what is counted in: pots, where all containers are pots."""
    kinds = {c.container_type for c in case.session.containers if c.container_type}
    return f"review.kind.{kinds.pop()}" if len(kinds) == 1 else "review.kind.container"


def _products(case: ReviewCase) -> Sentence | None:
    held = case.history.held if case.history else ()
    if not held or case.bed is None or case.bed.product_name is None:
        return None
    if case.bed.product_code in {kind.product_code for kind in held}:
        return None
    names = ", ".join(kind.product_name for kind in held)
    return Sentence("review.why.products", {"held": names, "said": case.bed.product_name})


def _part(case: ReviewCase) -> Sentence | None:
    tally = case.tally
    seen = tally.get(ContainerChange.SAME, 0) + tally.get(ContainerChange.CHANGED, 0)
    total = seen + tally.get(ContainerChange.UNSEEN, 0)
    if not total or seen >= total * MANY:
        return None
    if not seen:
        return Sentence("review.why.none_seen", {"total": total})
    return Sentence("review.why.part", {"seen": seen, "total": total})


def _far(case: ReviewCase) -> Sentence | None:
    if case.distance_m is None:
        return None
    return Sentence("review.why.far", {"m": round(case.distance_m)})
