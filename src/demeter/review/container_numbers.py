"""Numbers of containers that a person drew anew: by their marks, or as a person said them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from demeter.counts import service
from demeter.counts.models import Count
from demeter.photos.models import PhotoSession
from demeter.review import marks
from demeter.review.container_plan import ImagePlan
from demeter.stock.ledger import LedgerCommand


@dataclass(frozen=True, slots=True)
class SaidNumbers:
    """Numbers that a person said of containers, against what their marks add up to.

    ``by_index`` are those that go on; ``lost`` the former containers whose number does not,
    for their plants are divided otherwise.
    """

    by_index: dict[int, int]
    answers: dict[int, int]
    lost: tuple[int, ...] = ()

    @classmethod
    def of(cls, session: Session, photo_session: PhotoSession, count: Count) -> SaidNumbers:
        """Those of the present attempt."""
        all_marks = marks.marks_of(session, photo_session, count.attempt)
        residuals = marks.residuals_of(session, photo_session)
        rows = {row.container_index: row for row in count.containers if row.container_index}
        said = {
            index: row.human_corrected
            for index, row in rows.items()
            if row.human_corrected is not None
            and row.human_corrected != marks.number_of(row, all_marks, residuals)
        }
        return cls(said, {index: row.answer or 0 for index, row in rows.items()})

    def follow(self, plans: Sequence[ImagePlan]) -> SaidNumbers:
        """The numbers of the new containers that hold just the plants of their former ones."""
        by_index: dict[int, int] = {}
        kept: set[int] = set()
        index = 0
        for plan in plans:
            uses = [former for d in plan.drawn for former in d.former]
            for n, drawn in enumerate(plan.drawn):
                index += 1
                is_whole = all(uses.count(former) == 1 for former in drawn.former)
                has_said = any(former in self.by_index for former in drawn.former)
                if has_said and is_whole and _holds_the_same(plan, n, drawn.former):
                    by_index[index] = sum(self.answers[former] for former in drawn.former)
                    kept |= set(drawn.former)
        return SaidNumbers(by_index, {}, tuple(sorted(set(self.by_index) - kept)))


def _holds_the_same(plan: ImagePlan, n: int, former: Sequence[int]) -> bool:
    """Whether the n-th container has all the former plants of its own, and none of others."""
    return all(
        (mark.home in former) == (holder == n)
        for mark, holder in zip(plan.pool, plan.holders, strict=True)
        if mark.is_plant and (mark.home is not None or mark.added is None)
    )


def keep_numbers(
    session: Session,
    command: LedgerCommand,
    photo_session: PhotoSession,
    count: Count,
    said: SaidNumbers,
) -> None:
    """Numbers that follow the marks, and those that a person said of the same plants."""
    all_marks = marks.marks_of(session, photo_session, count.attempt)
    residuals = marks.residuals_of(session, photo_session)
    numbers: dict[int, int] = {}
    for row in count.containers:
        by_marks = marks.number_of(row, all_marks, residuals)
        number = said.by_index.get(row.container_index or 0, by_marks)
        if number != row.answer:
            numbers[row.id] = number
    service.note_corrections(session, count, numbers, command.user_id, command.reason)
