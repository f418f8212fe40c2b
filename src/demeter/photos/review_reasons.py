"""Why a count waits for a person instead of being posted (SPEC §3.5 steps 1, 2 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig, Product
from demeter.core.notices import Notice, read_notice
from demeter.core.settings import settings
from demeter.core.wording import english, next_action
from demeter.counts.ledger_writes import expected_lot, lots_as_of
from demeter.counts.models import ContainerCount, Count
from demeter.counts.posting import PostingLot, is_implausible
from demeter.photos import pair_results
from demeter.photos.evidence import Results
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.stock.count_units import last_counted_unit
from demeter.stock.models import StockBatch
from demeter.stock.period_lock import closed_notice
from demeter.vision.judgement.doubts import may_show_no_plants, says_nothing
from demeter.vision.values import CountUnit

BLIND_RECOUNT = "blind_recount"
NO_PLANTS = "may_show_no_plants"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to wait; ``waivable`` ones are settled by a person's acceptance.

    ``causes`` are errors as they were raised, for ``error_message`` only.
    """

    notice: Notice
    causes: str = ""
    status: SessionStatus = SessionStatus.NEEDS_REVIEW
    waivable: bool = True

    @property
    def code(self) -> str:
        """The session's ``reason_code``."""
        return self.notice.code

    @property
    def message(self) -> str:
        """The sentence in English, with the errors behind it."""
        sentence = english(self.notice)
        return f"{sentence.rstrip('.')}: {self.causes}" if self.causes else sentence

    @property
    def next_action(self) -> str:
        """What to do about it, in English."""
        return next_action(self.code)


def no_container(photo_session: PhotoSession) -> Reason:
    """Nothing in the photo to put plants into: no bin is made up for it."""
    return Reason(Notice("no_container_found", {"session_id": photo_session.id}), waivable=False)


def unread(results: Results) -> Reason:
    """No image of the session could be counted."""
    return Reason(
        Notice("no_image_counted", {"failed": len(results.failed)}),
        causes="; ".join(image.error_message or "" for image in results.failed),
        waivable=False,
    )


def no_config(location_code: str) -> Reason:
    """What stands there is not known, so nothing can be posted."""
    return Reason(
        Notice("no_config", {"location": location_code}),
        status=SessionStatus.NEEDS_CONFIG,
        waivable=False,
    )


def blind_recount() -> Reason:
    """A person counts first, and says a number without having seen the machine's."""
    return Reason(Notice("blind_recount"), waivable=False)


def period_closed(captured_at: datetime, until: datetime) -> Reason:
    """The photo shows what a closed period has settled: it is evidence only."""
    return Reason(closed_notice(captured_at, until), waivable=False)


def of_count(
    session: Session, count: Count, config: LocationConfig, results: Results
) -> list[Reason]:
    """Everything that speaks against posting a count as the machine made it."""
    containers = [row for row in count.containers if row.seen]
    lots = lots_as_of(session, count.storage_location_id, count.captured_at, expected_lot(config))
    plants = sum(row.answer or 0 for row in containers)
    return [
        *of_images(results),
        *of_plants(results),
        *of_unit(session, count, config, results),
        *of_interval(count, plants),
        *of_containers(containers),
        *of_ledger(session, count, config, lots, plants),
    ]


def of_images(results: Results) -> list[Reason]:
    """Reasons that lie in the images themselves."""
    reasons = []
    if results.failed:
        total = len(results.failed) + len(results.counted)
        reasons.append(
            Reason(
                Notice("image_failed", {"failed": len(results.failed), "total": total}),
                causes="; ".join(f"photo {i.position}: {i.error_message}" for i in results.failed),
            )
        )
    pairs = pair_results.undecided_pairs([i.row for i in results.counted if i.photo.containers])
    if pairs:
        reasons.append(Reason(Notice("photos_may_overlap", {"pairs": pairs})))
    return reasons


def of_plants(results: Results) -> list[Reason]:
    """A photo may show no plants: soil, stones, grain, a floor or anything else."""
    doubtful = [i.row.position for i in results.counted if may_show_no_plants(i.photo)]
    if not doubtful:
        return []
    return [Reason(Notice("may_show_no_plants", {"photos": _positions(doubtful)}))]


def of_unit(
    session: Session, count: Count, config: LocationConfig, results: Results
) -> list[Reason]:
    """It counts something else than is set there, than the last count, or in each photo."""
    if len(results.units) > 1:
        plants, places = (_positions(results.units[unit]) for unit in CountUnit)
        notice = Notice("units_of_photos_differ", {"plants": plants, "containers": places})
        return [Reason(notice)]
    counted = results.unit
    if counted is None:
        return []
    if config.count_unit not in (None, counted):
        notice = Notice("unit_not_as_set", {"counted": counted.value, "set": config.count_unit})
        return [Reason(notice)]
    last = last_counted_unit(session, count.storage_location_id, but_count_id=count.id)
    if last not in (None, counted):
        notice = Notice("unit_not_as_last", {"counted": counted.value, "last": last.value})
        return [Reason(notice)]
    return []


def _positions(positions: Sequence[int]) -> str:
    return ", ".join(map(str, positions))


def of_interval(count: Count, plants: int) -> list[Reason]:
    """The machine's 90 % interval is wider than its count, and nobody corrected it."""
    low, high = count.interval_low, count.interval_high
    if low is None or high is None or any(c.human_corrected is not None for c in count.containers):
        return []
    if not says_nothing(plants, (low, high)):
        return []
    return [Reason(Notice("interval_too_wide", {"counted": plants, "low": low, "high": high}))]


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
    unexplained = [_unexplained(container) for container in unknown]
    return [Reason(Notice("estimate_unknown", {"limit": limit, "containers": unexplained}))]


def _unexplained(container: ContainerCount) -> Notice:
    why = read_notice(container.unknown_notice or container.unknown_reason)
    index, share = container.container_index, container.residual_share or 0.0
    if why is None:
        return Notice("container_unexplained_unsaid", {"index": index, "share": share})
    return Notice("container_unexplained", {"index": index, "share": share, "why": why})


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
                Notice(
                    "other_product",
                    {"held": ", ".join(names), "configured": config.product.code},
                )
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
                Notice(
                    "implausible_change",
                    {
                        "before": before,
                        "counted": counted,
                        "change": round(abs(counted - before) / before, 4),
                    },
                )
            )
        )
    return reasons
