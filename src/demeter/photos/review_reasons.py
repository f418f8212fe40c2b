"""Why a count waits for a person instead of being posted (SPEC §3.5 steps 1, 2 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig, Product
from demeter.core.settings import settings
from demeter.counts.ledger_writes import expected_lot, lots_as_of
from demeter.counts.models import ContainerCount, Count
from demeter.counts.posting import PostingLot, is_implausible
from demeter.photos import pair_results
from demeter.photos.evidence import Results
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.stock.models import StockBatch

BLIND_RECOUNT = "blind_recount"
ACCEPT = "Look at the photo, then accept the count or correct it."


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to wait; ``waivable`` ones are settled by a person's acceptance."""

    code: str
    message: str
    next_action: str
    status: SessionStatus = SessionStatus.NEEDS_REVIEW
    waivable: bool = True


def no_container(photo_session: PhotoSession) -> Reason:
    """Nothing in the photo to put plants into: no bin is made up for it."""
    return Reason(
        "no_container_found",
        f"No StorageBins created for session {photo_session.id}. "
        "Cannot proceed without valid bin IDs.",
        "Confirm that the bed is empty, or take another photo that shows its containers.",
        waivable=False,
    )


def unread(results: Results) -> Reason:
    """No image of the session could be counted."""
    told = "; ".join(image.error_message or "" for image in results.failed)
    return Reason(
        "no_image_counted",
        f"None of the {len(results.failed)} photos could be counted: {told}",
        "Reprocess the session, or take the photos again.",
        waivable=False,
    )


def no_config(location_code: str) -> Reason:
    """What stands there is not known, so nothing can be posted."""
    return Reason(
        "no_config",
        f"location {location_code} has no active configuration of product and state",
        "Set what grows at this location; then the count is posted without new processing.",
        status=SessionStatus.NEEDS_CONFIG,
        waivable=False,
    )


def blind_recount() -> Reason:
    """A person counts first, and says a number without having seen the machine's."""
    return Reason(
        BLIND_RECOUNT,
        "this photo is counted by a person before the machine's answer is shown",
        "Count the plants yourself and send the number; then the machine's answer is shown.",
        waivable=False,
    )


def period_closed(captured_at: datetime, until: datetime) -> Reason:
    """The photo shows what a closed period has settled: it is evidence only."""
    return Reason(
        "period_closed",
        f"the photo was taken {captured_at:%Y-%m-%d %H:%M} UTC; this location is closed until "
        f"{until:%Y-%m-%d %H:%M} UTC",
        "Reopen the period to post this count; until then it is kept as evidence.",
        waivable=False,
    )


def of_count(
    session: Session, count: Count, config: LocationConfig, results: Results
) -> list[Reason]:
    """Everything that speaks against posting a count as the machine made it."""
    containers = [row for row in count.containers if row.seen]
    lots = lots_as_of(session, count.storage_location_id, count.captured_at, expected_lot(config))
    plants = sum(row.answer or 0 for row in containers)
    return [
        *of_images(results),
        *of_containers(containers),
        *of_ledger(session, count, config, lots, plants),
    ]


def of_images(results: Results) -> list[Reason]:
    """Reasons that lie in the images themselves."""
    reasons = []
    if results.failed:
        total = len(results.failed) + len(results.counted)
        told = "; ".join(f"photo {i.position}: {i.error_message}" for i in results.failed)
        reasons.append(
            Reason(
                "image_failed",
                f"{len(results.failed)} of {total} photos could not be counted: {told}",
                "Reprocess the session, or accept what the other photos show.",
            )
        )
    unsure = pair_results.unsettled([i.row for i in results.counted if i.photo.containers])
    if unsure:
        reasons.append(
            Reason(
                "photos_may_overlap",
                f"it is not sure whether these show the same plants: {', '.join(unsure)}",
                "Accept if the photos show different parts of the bed.",
            )
        )
    return reasons


def of_containers(containers: Sequence[ContainerCount]) -> list[Reason]:
    """Too much of a container is neither detected nor estimated."""
    limit = settings().unknown_residual_share
    unknown = [
        c
        for c in containers
        if c.human_corrected is None
        and c.machine_estimated is None
        and (c.residual_share is None or c.residual_share > limit)
    ]
    if not unknown:
        return []
    told = "; ".join(
        f"container {c.container_index}: {(c.residual_share or 0):.0%} unexplained, "
        f"{c.unknown_reason or 'no reason given'}"
        for c in unknown
    )
    return [
        Reason(
            "estimate_unknown",
            f"the estimate is unknown where more than {limit:.0%} is unexplained: {told}",
            "Correct the number of these containers, or accept what was detected.",
        )
    ]


def of_ledger(
    session: Session, count: Count, config: LocationConfig, lots: Sequence[PostingLot], counted: int
) -> list[Reason]:
    """What the ledger holds makes this count doubtful."""
    reasons = []
    strangers = [lot.batch_id for lot in lots if not lot.counts and lot.as_of]
    if strangers:
        names = session.scalars(
            select(Product.code)
            .join(StockBatch, StockBatch.product_id == Product.id)
            .where(StockBatch.id.in_(strangers))
            .distinct()
            .order_by(Product.code)
        )
        reasons.append(
            Reason(
                "other_product",
                f"the ledger holds {', '.join(names)} here; the configuration says "
                f"{config.product.code}",
                "Correct the configuration, or accept that the other product is gone.",
            )
        )
    before = sum(lot.as_of for lot in lots if lot.counts)
    width = None
    if count.interval_low is not None and count.interval_high is not None:
        width = count.interval_high - count.interval_low
    configured = settings()
    if is_implausible(
        before,
        counted,
        width,
        share=configured.implausible_share,
        widths=configured.implausible_intervals,
    ):
        reasons.append(
            Reason(
                "implausible_change",
                f"the ledger holds {before}, the photo shows {counted}: a change of "
                f"{abs(counted - before) / before:.0%}",
                ACCEPT,
            )
        )
    return reasons
