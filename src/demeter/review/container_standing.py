"""How each container of a photo stands to what the ledger held in its bin, before it is posted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from demeter.catalog.queries import active_config
from demeter.counts.ledger_writes import ExpectedLot, expected_lot, lots_as_of
from demeter.counts.models import ContainerCount, Count
from demeter.locations.models import StorageLocation
from demeter.photos import bins, evidence
from demeter.photos.models import PhotoSession
from demeter.photos.schemas import SessionContainer
from demeter.vision.values import ContainerType

ANY_LOT = ExpectedLot(0, 0, None)  # of no product: where nobody has said what grows


class ContainerChange(StrEnum):
    """How a container stands to what the ledger held in its bin."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    UNSEEN = "unseen"
    UNCOMPARED = "uncompared"


@dataclass(frozen=True, slots=True)
class ContainerStanding:
    """A container now and before; ``answer`` is a part of it where ``is_partial``."""

    index: int | None
    container_type: ContainerType | None
    is_seen: bool
    answer: int | None
    is_partial: bool
    before: int | None

    @property
    def difference(self) -> int | None:
        """What the photo changes in it; not known where one of both is not."""
        return None if self.answer is None or self.before is None else self.answer - self.before

    @property
    def change(self) -> ContainerChange:
        """The same as a word."""
        if not self.is_seen:
            return ContainerChange.UNSEEN
        if self.answer is None:
            return ContainerChange.UNCOMPARED
        if self.before is None:
            return ContainerChange.NEW
        return ContainerChange.CHANGED if self.difference else ContainerChange.SAME


LISTED_FIRST = (
    ContainerChange.CHANGED,
    ContainerChange.NEW,
    ContainerChange.UNSEEN,
    ContainerChange.UNCOMPARED,
    ContainerChange.SAME,
)


def expected_standings(
    session: Session, photo_session: PhotoSession, count: Count
) -> list[ContainerStanding]:
    """Each container beside what stood in it, and the bins that were expected and are not seen."""
    location = session.get_one(StorageLocation, count.storage_location_id)
    rows = sorted((c for c in count.containers if c.seen), key=lambda c: c.container_index or 0)
    segments = evidence.segments_of(evidence.results_of(photo_session))
    matches = bins.match_bins(session, location, segments)
    bin_ids = [row.bin_id or match for row, match in zip(rows, matches.by_segment, strict=True)]
    held = _held_by_bin(session, count)
    unseen = sorted(({*held} | matches.known) - {*bin_ids})
    return [
        *(_standing(row, held, bin_id) for row, bin_id in zip(rows, bin_ids, strict=True)),
        *(
            ContainerStanding(
                None, None, is_seen=False, answer=0, is_partial=False, before=held.get(one, 0)
            )
            for one in unseen
        ),
    ]


def posted_standings(containers: Iterable[SessionContainer]) -> list[ContainerStanding]:
    """The same of a count as it was posted."""
    return [
        ContainerStanding(
            one.index,
            one.container_type,
            one.seen,
            one.answer,
            one.seen and one.human_corrected is None and one.machine_estimated is None,
            one.ledger_before or None,
        )
        for one in containers
    ]


def tiles_of(standings: Iterable[ContainerStanding]) -> list[ContainerChange]:
    """How each stands, those that stayed the same first."""
    order = list(ContainerChange)
    return sorted((one.change for one in standings), key=order.index)


def tally_of(standings: Iterable[ContainerStanding]) -> dict[ContainerChange, int]:
    """How many stand how."""
    return dict(Counter(tiles_of(standings)))


def sort_by_change(standings: Sequence[ContainerStanding]) -> list[ContainerStanding]:
    """As a list has them: the changed ones first, the largest change before others."""
    return sorted(standings, key=_place_in_list)


def _place_in_list(standing: ContainerStanding) -> tuple[int, int, int]:
    weight = abs(standing.difference or 0) if standing.change is ContainerChange.CHANGED else 0
    return LISTED_FIRST.index(standing.change), -weight, standing.index or 0


def _standing(row: ContainerCount, held: dict[int, int], bin_id: int | None) -> ContainerStanding:
    return ContainerStanding(
        row.container_index,
        row.container_type,
        is_seen=True,
        answer=row.answer,
        is_partial=row.whole_answer is None,
        before=None if bin_id is None else held.get(bin_id, 0),
    )


def _held_by_bin(session: Session, count: Count) -> dict[int, int]:
    """Plants of the product that is counted, by bin; of any where nobody has said which."""
    config = active_config(session, count.storage_location_id)
    expected = ANY_LOT if config is None else expected_lot(config)
    lots = lots_as_of(session, count.storage_location_id, count.captured_at, expected)
    held: Counter[int] = Counter()
    for lot in lots:
        if (lot.counts or config is None) and lot.as_of:
            held[lot.bin_id] += lot.as_of
    return dict(held)
