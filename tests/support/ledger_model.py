"""A plain model of the ledger: no database, no lots; what must come out is said in a few lines.

Stock of a bed at a moment is its last posted count at or before that moment, and what was told
of the time since. All moments are hours of one made-up year, and no two things share one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

ENDLESS = 10**9


@dataclass
class Fact:
    """Plants came (+) or went (−) at a bed; a transplant also names where they came to."""

    at: int
    kind: str
    bed: str
    quantity: int
    to: str | None = None
    is_true: bool = True
    key: UUID = field(default_factory=uuid4)

    @property
    def sign(self) -> int:
        return 1 if self.kind in ("plantar", "sembrar") else -1

    @property
    def changes(self) -> dict[str, int]:
        here = {self.bed: self.sign * self.quantity}
        return here | ({self.to: self.quantity} if self.to else {})


@dataclass
class Observation:
    """Somebody counted a bed: ``said`` is what was said, ``actual`` what stood there."""

    at: int
    bed: str
    number: int
    actual: int
    by_photo: bool = False
    copy: int = 0  # counts of one moment, in the order in which they were kept
    key: UUID = field(default_factory=uuid4)


@dataclass
class Closing:
    """What a closed period found at a bed."""

    bed: str
    opening: Observation
    closing: Observation | None
    sales: int | None


@dataclass
class Ledger:
    """What was told, and what it amounts to."""

    facts: list[Fact] = field(default_factory=list)
    posted: list[Observation] = field(default_factory=list)
    waiting: list[Observation] = field(default_factory=list)
    closed: list[list[Closing]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def as_of(self, bed: str, at: int) -> int:
        counts = [c for c in self.posted if c.bed == bed and c.at <= at]
        last = max(counts, key=lambda c: (c.at, c.copy), default=None)
        since = last.at if last else -ENDLESS
        changes = (f.changes[bed] for f in self.facts if bed in f.changes and since < f.at <= at)
        return (last.number if last else 0) + sum(changes)

    def today(self, bed: str) -> int:
        return self.as_of(bed, ENDLESS)

    def counted_later(self, bed: str, at: int) -> bool:
        return any(c.bed == bed and c.at >= at for c in self.posted)

    def closed_until(self, bed: str) -> int:
        moments = (
            c.closing.at for period in self.closed for c in period if c.bed == bed and c.closing
        )
        return max(moments, default=-ENDLESS)

    def tell(self, fact: Fact) -> str:
        """Write a fact, or say with which code it is refused."""
        if fact.sign < 0:
            late = self.counted_later(fact.bed, fact.at)
            if fact.bed not in self.held or (not late and self.today(fact.bed) < fact.quantity):
                return "too_few_plants"
        if any(fact.at <= self.closed_until(bed) for bed in fact.changes):
            return "period_closed"
        self.facts.append(fact)
        self.held.update(bed for bed, quantity in fact.changes.items() if quantity > 0)
        return "written"

    def count(self, observation: Observation) -> str:
        """Post a count, or say what it waits for."""
        self.waiting.append(observation)
        reason = self._waits(observation)
        if reason is None:
            self._post(observation)
        return reason or "posted"

    def retry(self) -> None:
        """What waits is tried until nothing gets further."""
        while able := [
            observation for observation in self.waiting if self._waits(observation) is None
        ]:
            self._post(able[0])

    def _waits(self, observation: Observation) -> str | None:
        if observation.at <= self.closed_until(observation.bed):
            return "period_closed"
        if self.counted_later(observation.bed, observation.at):
            return None
        since = sum(
            f.changes[observation.bed]
            for f in self.facts
            if observation.bed in f.changes and f.at > observation.at
        )
        return "stock_would_be_negative" if observation.number + since < 0 else None

    def _post(self, observation: Observation) -> None:
        self.waiting.remove(observation)
        self.posted.append(observation)
        if observation.number:
            self.held.add(observation.bed)

    def can_void(self, observation: Observation) -> bool:
        """Whether taking a count back would leave nothing negative today."""
        if observation.at <= self.closed_until(observation.bed):
            return False
        without = Ledger(self.facts, [c for c in self.posted if c is not observation])
        return without.today(observation.bed) >= 0

    def can_correct(self, observation: Observation, number: int) -> bool:
        """Whether a count could say another number and leave nothing negative today."""
        if observation.at <= self.closed_until(observation.bed):
            return False
        later = any(
            c.bed == observation.bed and (c.at, c.copy) > (observation.at, observation.copy)
            for c in self.posted
        )
        return later or self.today(observation.bed) - observation.number + number >= 0

    def close(self, until: int) -> list[Closing]:
        """Close a period whose last count is at or before ``until``."""
        closings = []
        for bed in sorted({c.bed for c in self.posted if c.at <= until}):
            counts = [c for c in self.posted if c.bed == bed and c.at <= until]
            stored = [
                c.closing for period in self.closed for c in period if c.bed == bed and c.closing
            ]
            opening = stored[-1] if stored else min(counts, key=lambda c: c.at)
            last = max(counts, key=lambda c: c.at)
            if last.at <= opening.at:
                closings.append(Closing(bed, opening, None, None))
                continue
            inside = (
                f.changes[bed]
                for f in self.facts
                if bed in f.changes and f.kind != "ventas" and opening.at < f.at <= last.at
            )
            lost = self.as_of(bed, opening.at) - self.as_of(bed, last.at)
            closings.append(Closing(bed, opening, last, lost + sum(inside)))
        self.closed.append(closings)
        return closings
