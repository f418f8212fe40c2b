"""The ledger against a plain model with a hidden true history, in random order, two at a time.

By default a few short histories, the same ones each time; LEDGER_EXAMPLES (and LEDGER_STEPS)
ask for more, and for new ones each time; LEDGER_SHRINK for a failing one to be made small, which
takes minutes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import TypeAdapter
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from truth import Fact, Ledger, Observation

from demeter.accounts.models import find_user
from demeter.core.checks import run
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.counts import commands as count_commands
from demeter.counts.checks import COUNTS
from demeter.counts.models import Count
from demeter.counts.schemas import CountCorrect, HandCountCreate
from demeter.periods import closing, service
from demeter.periods.checks import CLOSINGS
from demeter.periods.figures import lines
from demeter.periods.models import PeriodClosing
from demeter.photos import record
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import corrections, count_decisions, retry
from demeter.stock import commands, reversals
from demeter.stock.checks import LOTS, MOVES
from demeter.stock.schemas import Movement, Report
from ledgersteps import supervisor
from nursery import NOON, configure, counted_session, location, photo_count, plant_nursery

EXAMPLES = os.environ.get("LEDGER_EXAMPLES")
SHRINK = "LEDGER_SHRINK" in os.environ
STEPS = int(os.environ.get("LEDGER_STEPS", "25"))
BEDS = ("A1", "A2", "A3")
OF_A_NURSERY = ("stock_batches", "stock_movements", "stock_facts", "counts", "container_counts",
    "count_corrections", "detections", "estimations", "storage_bins", "periods", "period_closings",
    "period_explanations", "period_events", "photo_processing_sessions", "photo_session_images",
    "s3_images", "procrastinate_jobs")  # fmt: skip

beds = st.sampled_from(BEDS)
few = st.integers(1, 30)
share = st.floats(0.05, 1.0)
which = st.integers(0, 10**6)


def moment(hour: int) -> Any:
    return NOON + timedelta(hours=hour)


class History(RuleBasedStateMachine):
    """A true history that nobody sees whole, what people say of it, and what comes out."""

    @initialize()
    def empty_nursery(self) -> None:
        self.clock, self.boundary = 0, 0
        self.actual = dict.fromkeys(BEDS, 0)
        self.happened: list[Fact] = []
        self.untold: list[Fact | Observation] = []
        self.count_ids: dict[UUID, int] = {}
        self.mistakes: list[Fact] = []
        self.model = Ledger()
        with transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in OF_A_NURSERY:
                session.execute(text(f"DELETE FROM {table}"))
            session.execute(text("UPDATE storage_locations SET photo_session_id = NULL"))

    # What truly happens. Nobody knows of it until somebody tells.

    @rule(bed=beds, quantity=few, kind=st.sampled_from(["plantar", "sembrar"]))
    def plants_come(self, bed: str, quantity: int, kind: str) -> None:
        self._happens(Fact(self._tick(), kind, bed, quantity))

    @rule(bed=beds, part=share, kind=st.sampled_from(["muerte", "ventas"]))
    def plants_go(self, bed: str, part: float, kind: str) -> None:
        if quantity := int(self.actual[bed] * part):
            self._happens(Fact(self._tick(), kind, bed, quantity))

    @rule(bed=beds, part=share)
    def plants_are_sold_and_nobody_tells(self, bed: str, part: float) -> None:
        if quantity := int(self.actual[bed] * part):
            self._happens(Fact(self._tick(), "ventas", bed, quantity))
            self.untold.pop()

    @rule(bed=beds, to=beds, part=share)
    def plants_are_carried(self, bed: str, to: str, part: float) -> None:
        quantity = int(self.actual[bed] * part)
        if quantity and bed != to:
            self._happens(Fact(self._tick(), "transplante", bed, quantity, to))

    @rule(bed=beds, by_photo=st.booleans(), slip=st.sampled_from([0, 0, 0, -7, 5]))
    def plants_are_counted(self, bed: str, by_photo: bool, slip: int) -> None:
        actual = self.actual[bed]
        said = max(0, actual + slip)
        self.untold.append(Observation(self._tick(), bed, said, actual, by_photo))

    # What people say, in whatever order.

    @precondition(lambda self: self.untold)
    @rule(which=which)
    def one_tells(self, which: int) -> None:
        one = self.untold[which % len(self.untold)]
        self._matches([one], [self._tell(one)])

    @precondition(lambda self: self.untold)
    @rule(which=which)
    def somebody_tells_the_latest(self, which: int) -> None:
        del which
        one = self.untold[-1]
        self._matches([one], [self._tell(one)])

    @precondition(lambda self: len(self.untold) > 1)
    @rule(which=which, other=which)
    def two_tell_at_once(self, which: int, other: int) -> None:
        pair = [self.untold[which % len(self.untold)], self.untold[other % len(self.untold)]]
        if pair[0] is pair[1]:
            self._at_once(pair[:1])
        else:
            self._at_once(pair)

    @rule(bed=beds, quantity=few, kind=st.sampled_from(["plantar", "ventas"]), back=which)
    def somebody_errs(self, bed: str, quantity: int, kind: str, back: int) -> None:
        self._tick()
        made_up = Fact(self.clock - 1, kind, bed, quantity, true=False)
        if back % 2 and self.happened:
            earlier = self.happened[back % len(self.happened)].at
            if not any(f.at == earlier - 1 for f in [*self.model.told, *self.mistakes]):
                made_up.at = earlier - 1
        if self._matches([made_up], [self._tell(made_up)]) == ["written"]:
            self.mistakes.append(made_up)

    @precondition(lambda self: self.mistakes)
    @rule(which=which)
    def an_error_is_undone(self, which: int) -> None:
        fact = self.mistakes[which % len(self.mistakes)]
        said = {"movement_id": uuid4(), "reason": "it never happened"}
        answer = self._done(lambda session: undone(session, fact.key, Report(**said)))
        if answer == "written":
            self.model.told.remove(fact)
            self.mistakes.remove(fact)
            self._retried()
        elif fact.at <= self.model.closed_until(fact.bed):
            assert answer == "period_closed"
        else:  # plants of its own lot went since; a stocktake makes it possible
            assert answer == "too_few_plants"
            assert not self.model.counted_later(fact.bed, fact.at)

    @precondition(lambda self: self.model.posted)
    @rule(which=which, by=st.integers(-9, 9))
    def a_count_is_corrected(self, which: int, by: int) -> None:
        one = self.model.posted[which % len(self.model.posted)]
        said = one.actual if one.said != one.actual else max(0, one.said + by)
        if not self.model.can_correct(one, said):
            return
        with transaction() as session:
            rows = session.get_one(Count, self.count_ids[one.key]).containers
            seen = [r for r in rows if r.seen]
            others = sum(r.answer or 0 for r in seen[1:])
            said = max(said, others)
            if not self.model.can_correct(one, said):
                return
            answer = {"container_id": seen[0].id, "plants": said - others}
        body = CountCorrect(movement_id=uuid4(), containers=[answer], user="julia")
        count_id = self.count_ids[one.key]
        assert self._done(lambda s: corrections.correct_containers(s, count_id, body)) == "written"
        one.said = said
        self.model.held.update([one.bed] if said else [])
        self._retried()

    @precondition(lambda self: self.model.posted)
    @rule(which=which)
    def a_count_is_taken_back(self, which: int) -> None:
        one = self.model.posted[which % len(self.model.posted)]
        if not self.model.can_void(one):
            return
        body = Report(movement_id=uuid4(), reason="another bed", user="julia")
        count_id = self.count_ids[one.key]
        assert self._done(lambda s: count_decisions.void_count(s, count_id, body)) == "written"
        self.model.posted.remove(one)
        self._retried()

    # Month's end.

    @rule(grace=st.integers(0, 5))
    def a_period_is_closed(self, grace: int) -> None:
        code = f"P{self._tick()}"
        boundary = self.boundary = max(self.boundary + 1, self.clock - grace)
        before = self._on_hand()
        with transaction() as session:
            julia = find_user(session, "julia")
            one = service.open_period(session, julia, code, moment(boundary), self.clock - boundary)
            for exception in service.exceptions(session, one, lines(session, one)):
                if exception.explanation is None:
                    self._explain(session, one, exception)
            closing.close(session, code, julia)
            rows = session.scalars(
                select(PeriodClosing).where(PeriodClosing.period_id == one.id)
            ).all()
            found = {r.storage_location_id: r.sales for r in rows}
            ids = {bed: location(session, bed).location_id for bed in BEDS}
        assert self._on_hand() == before
        expected = self.model.close(self.clock)
        for one in expected:
            if one.closing is None or one.opening.said or one.closing.said or ids[one.bed] in found:
                assert found[ids[one.bed]] == one.sales
        self._sales_are_true(expected)

    @precondition(lambda self: self.model.closed)
    @rule()
    def the_last_period_is_reopened(self) -> None:
        before = self._on_hand()
        with transaction() as session:
            code = session.execute(
                text("SELECT code FROM periods ORDER BY boundary_at DESC LIMIT 1")
            ).scalar_one()
            closing.reopen(session, code, find_user(session, "julia"), "something was forgotten")
            # It is closed again at another moment, as another period.
            session.execute(text("DELETE FROM period_explanations"))
            session.execute(
                text("UPDATE periods SET boundary_at = boundary_at - interval '3000 days',"
                     " status = 'closed', closed_at = now() WHERE code = :code"),
                {"code": code},
            )  # fmt: skip
        assert self._on_hand() == before
        self.model.closed.pop()
        self._retried()

    @rule()
    def all_is_told_and_counted(self) -> None:
        """With everything told and each bed counted now, stock today is the truth."""
        for fact in [*self.mistakes]:
            self._undo_if_possible(fact)
        for bed in BEDS:
            one = Observation(self._tick(), bed, self.actual[bed], self.actual[bed])
            self._matches([one], [self._tell(one, queued=False)])
        for one in [*self.untold]:
            self._matches([one], [self._tell(one)])
        if not self.mistakes:
            assert self._on_hand() == self.actual

    # After each step.

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        with transaction() as session:
            assert [c for c in run(session, [*LOTS, *MOVES, *COUNTS, *CLOSINGS]) if c.wrong] == []
            history = stock_by_hour(session)
            posted = {
                row.id: row.plants
                for row in session.execute(
                    text("SELECT id, plants FROM counts"
                         " WHERE posted_at IS NOT NULL AND voided_at IS NULL")
                )
            }  # fmt: skip
        assert posted == {self.count_ids[c.key]: c.said for c in self.model.posted}
        for bed in BEDS:
            for hour in range(self.clock + 1):
                so_far = [s for at, s in history[bed] if at <= hour]
                assert (so_far or [0])[-1] == self.model.as_of(bed, hour), (bed, hour)
            assert (history[bed] or [(0, 0)])[-1][1] == self.model.today(bed)

    # The work.

    def _tick(self) -> int:
        self.clock += 2
        return self.clock

    def _happens(self, fact: Fact) -> None:
        for bed, quantity in fact.changes.items():
            self.actual[bed] += quantity
        self.happened.append(fact)
        self.untold.append(fact)

    def _tell(self, one: Fact | Observation, *, queued: bool = True) -> str:
        """Say it to the real ledger; how that ended."""
        if isinstance(one, Observation):
            answer = self._photograph(one) if one.by_photo else self._count(one)
            if queued:
                self.untold = [other for other in self.untold if other is not one]
            return answer
        said: dict[str, Any] = {
            "movement_id": one.key,
            "movement_type": one.kind,
            "location_code": one.bed,
            "quantity": one.quantity,
            "occurred_at": moment(one.at),
            "user": "julia",
        }
        if one.to:
            said["to_location_code"] = one.to
        if one.sign > 0:
            said["new_lot"] = one.quantity % 3 == 0
            said["category"] = "pot" if one.quantity % 2 else "segment"
        body = TypeAdapter(Movement).validate_python(said)
        answer = self._done(lambda session: commands.report(session, body))
        if answer == "written":
            self.untold = [other for other in self.untold if other is not one]
        return answer

    def _count(self, one: Observation) -> str:
        body = HandCountCreate(
            movement_id=uuid4(),
            location_code=one.bed,
            plants=one.said,
            occurred_at=moment(one.at),
            user="julia",
        )
        with transaction() as session:
            effect = count_commands.count_by_hand(session, body)
        assert effect.count_id is not None
        self.count_ids[one.key] = effect.count_id
        return effect.waits_for or "posted"

    def _photograph(self, one: Observation) -> str:
        with transaction() as session:
            supervisor(session)
            halves = (one.said - one.said // 3, one.said // 3)
            found = counted_session(
                session, photo_count((halves[0], 0), (halves[1], 0)), code=one.bed,
                at=moment(one.at),
            )  # fmt: skip
            record.record_session(session, found)
            stand_for(session, found)
            count = session.scalars(
                select(Count).where(Count.processing_session_id == found.id)
            ).one()
            self.count_ids[one.key] = count.id
            return found.reason_code or "posted"

    def _done(self, act: Callable[[Session], Any]) -> str:
        try:
            with transaction() as session:
                effect = act(session)
        except DomainError as refusal:
            return refusal.code
        assert effect.waits_for is None, effect.message
        return "written"

    def _at_once(self, told: list[Any]) -> None:
        """Two people at the same moment; or the same one twice, which is one effect."""
        with ThreadPoolExecutor(2) as pool:
            twice = [pool.submit(self._tell, one) for one in (told * 2)[:2]]
            answers = [one.result() for one in twice] if len(told) == 2 else None
            if answers is None:
                first, second = (one.result() for one in twice)
                if isinstance(told[0], Observation):
                    self._second_copy(told[0])
                    return
                assert first == second
                answers = [first]
        self._matches(told, answers)

    def _second_copy(self, one: Observation) -> None:
        """Two counts of one moment say the same; the later of them is the one that is known."""
        with transaction() as session:
            ids = session.scalars(
                select(Count.id).where(Count.captured_at == moment(one.at)).order_by(Count.id)
            ).all()
        copies = [one, Observation(one.at, one.bed, one.said, one.actual, one.by_photo, copy=1)]
        for copy, count_id in zip(copies, ids, strict=True):
            self.count_ids[copy.key] = count_id
            self.model.count(copy)
        self._retried()

    def _matches(self, told: list[Any], answers: list[str]) -> list[str]:
        """The model, told the same in one of the possible orders, answers the same."""
        orders = [told, told[::-1]]
        wanted = {one.key: answer for one, answer in zip(told, answers, strict=True)}
        for order in orders:
            tried = self._copy()
            got = {one.key: self._to_model(tried, one) for one in order}
            if got == wanted:
                self.model = tried
                self._retried()
                return answers
        raise AssertionError(f"{told}: the ledger says {answers}, the model {got}")

    def _copy(self) -> Ledger:
        """The model, with the same facts and observations in lists of its own."""
        m = self.model
        return Ledger([*m.told], [*m.posted], [*m.waiting], [*m.closed], {*m.held})

    @staticmethod
    def _to_model(model: Ledger, one: Fact | Observation) -> str:
        return model.tell(one) if isinstance(one, Fact) else model.count(one)

    def _retried(self) -> None:
        """The job that tries again what waits; people stand for what photos said."""
        self.model.retry()
        with transaction() as session:
            ids = [location(session, bed).location_id for bed in BEDS]
        for location_id in ids:
            retry.retry_waiting_counts(location_id)
        with transaction() as session:
            for found in session.scalars(
                select(PhotoSession).where(PhotoSession.status == SessionStatus.NEEDS_REVIEW)
            ):
                stand_for(session, found)

    def _undo_if_possible(self, fact: Fact) -> None:
        body = Report(movement_id=uuid4(), reason="it never happened")
        if self._done(lambda s: undone(s, fact.key, body)) == "written":
            self.model.told.remove(fact)
            self.mistakes.remove(fact)
            self._retried()

    def _explain(self, session: Session, period: Any, exception: Any) -> None:
        service.explain(
            session,
            period,
            find_user(session, "julia"),
            "looked into",
            location_id=exception.line.location_id,
            product_id=exception.line.product_id,
            kind=exception.found.kind,
        )

    def _on_hand(self) -> dict[str, int]:
        with transaction() as session:
            history = stock_by_hour(session)
        return {bed: (history[bed] or [(0, 0)])[-1][1] for bed in BEDS}

    def _sales_are_true(self, closings: list[Any]) -> None:
        """Where both counts were right and all but sales was told, sales are the true ones."""
        for one in closings:
            if one.closing is None or any(
                self.model.as_of(c.bed, c.at) != c.actual for c in (one.opening, one.closing)
            ):
                continue
            inside = [
                f
                for f in {f.key: f for f in [*self.happened, *self.model.told]}.values()
                if one.bed in f.changes and one.opening.at < f.at <= one.closing.at
            ]
            others = [f for f in inside if f.kind != "ventas"]
            if all(f.true and any(f is t for t in self.model.told) for f in others):
                sold = sum(f.quantity for f in inside if f.kind == "ventas" and f.true)
                assert one.sales == sold


def undone(session: Session, movement_id: UUID, body: Report) -> Any:
    return reversals.undo(session, commands.told_of(session, body), movement_id)


def stand_for(session: Session, found: PhotoSession) -> None:
    """A person accepts what is only implausible."""
    if found.reason_code == "implausible_change":
        record.post_again(session, found, confirmed=True)
        session.flush()


def stock_by_hour(session: Session) -> dict[str, list[tuple[float, int]]]:
    """Of each bed, stock after each moment at which it changed, in hours."""
    rows = session.execute(
        text("""
        SELECT l.code, extract(epoch FROM m.occurred_at - :noon) / 3600 AS hour,
               sum(sum(m.quantity)) OVER (PARTITION BY l.code ORDER BY m.occurred_at) AS stock
        FROM stock_movements m
        JOIN stock_batches b ON b.id = m.batch_id
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        JOIN storage_locations l ON l.location_id = s.storage_location_id
        GROUP BY l.code, m.occurred_at ORDER BY l.code, m.occurred_at
        """),
        {"noon": NOON},
    )
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row in rows:
        found[row.code].append((float(row.hour), int(row.stock)))
    return found


@pytest.fixture
def nursery(fresh_database: str) -> Iterator[None]:
    del fresh_database
    with transaction() as session:
        plant_nursery(session)
        supervisor(session)
        configure(session, "A3", "ECHEVERIA-01")
    with capture_logs():
        yield


def test_whatever_is_told_in_whatever_order(nursery: None) -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=int(EXAMPLES or 15),
            stateful_step_count=STEPS,
            derandomize=EXAMPLES is None,
            phases=tuple(Phase) if SHRINK else (Phase.generate,),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
