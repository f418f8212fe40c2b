"""The ledger against a plain model with a hidden true history, in random order, two at a time.

By default a few short histories, the same ones each time; `make test-all` plays new ones, too.
LEDGER_EXAMPLES (and LEDGER_STEPS) ask for more, and for new ones each time; LEDGER_SHRINK for a
failing one to be made small, which takes minutes.
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

from demeter.accounts.queries import find_user
from demeter.core.checks import run
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.counts import commands as count_commands
from demeter.counts.checks import COUNTS
from demeter.counts.models import Count
from demeter.counts.schemas import CountCorrect, HandCountCreate
from demeter.periods import closing, service
from demeter.periods.checks import CLOSINGS
from demeter.periods.figures import period_lines
from demeter.periods.models import PeriodClosing
from demeter.photos import record
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import corrections, count_decisions, retry
from demeter.stock import commands, reversals
from demeter.stock.checks import LOTS, MOVES
from demeter.stock.schemas import LedgerCommandCreate, MovementCreate
from support.ledger_model import Fact, Ledger, Observation
from support.ledgersteps import supervisor
from support.nursery import NOON, configure, counted_session, location, photo_count, plant_nursery

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
        self.unreported: list[Fact | Observation] = []
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
            self.unreported.pop()

    @rule(bed=beds, to=beds, part=share)
    def plants_are_carried(self, bed: str, to: str, part: float) -> None:
        quantity = int(self.actual[bed] * part)
        if quantity and bed != to:
            self._happens(Fact(self._tick(), "transplante", bed, quantity, to))

    @rule(bed=beds, by_photo=st.booleans(), slip=st.sampled_from([0, 0, 0, -7, 5]))
    def plants_are_counted(self, bed: str, by_photo: bool, slip: int) -> None:
        actual = self.actual[bed]
        number = max(0, actual + slip)
        self.unreported.append(Observation(self._tick(), bed, number, actual, by_photo))

    # What people say, in whatever order.

    @precondition(lambda self: self.unreported)
    @rule(which=which)
    def one_tells(self, which: int) -> None:
        event = self.unreported[which % len(self.unreported)]
        self._matches([event], [self._tell(event)])

    @precondition(lambda self: self.unreported)
    @rule(which=which)
    def somebody_tells_the_latest(self, which: int) -> None:
        del which
        event = self.unreported[-1]
        self._matches([event], [self._tell(event)])

    @precondition(lambda self: len(self.unreported) > 1)
    @rule(which=which, other=which)
    def two_tell_at_once(self, which: int, other: int) -> None:
        pair = [
            self.unreported[which % len(self.unreported)],
            self.unreported[other % len(self.unreported)],
        ]
        if pair[0] is pair[1]:
            self._at_once(pair[:1])
        else:
            self._at_once(pair)

    @rule(bed=beds, quantity=few, kind=st.sampled_from(["plantar", "ventas"]), back=which)
    def somebody_errs(self, bed: str, quantity: int, kind: str, back: int) -> None:
        self._tick()
        mistake = Fact(self.clock - 1, kind, bed, quantity, is_true=False)
        if back % 2 and self.happened:
            earlier = self.happened[back % len(self.happened)].at
            if not any(f.at == earlier - 1 for f in [*self.model.facts, *self.mistakes]):
                mistake.at = earlier - 1
        if self._matches([mistake], [self._tell(mistake)]) == ["written"]:
            self.mistakes.append(mistake)

    @precondition(lambda self: self.mistakes)
    @rule(which=which)
    def an_error_is_undone(self, which: int) -> None:
        fact = self.mistakes[which % len(self.mistakes)]
        fields = {"movement_id": uuid4(), "reason": "it never happened"}
        answer = self._done(
            lambda session: undone(session, fact.key, LedgerCommandCreate(**fields))
        )
        if answer == "written":
            self.model.facts.remove(fact)
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
        observation = self.model.posted[which % len(self.model.posted)]
        number = (
            observation.actual
            if observation.number != observation.actual
            else max(0, observation.number + by)
        )
        if not self.model.can_correct(observation, number):
            return
        with transaction() as session:
            rows = session.get_one(Count, self.count_ids[observation.key]).containers
            seen = [r for r in rows if r.seen]
            others = sum(r.answer or 0 for r in seen[1:])
            number = max(number, others)
            if not self.model.can_correct(observation, number):
                return
            answer = {"container_id": seen[0].id, "plants": number - others}
        body = CountCorrect(movement_id=uuid4(), containers=[answer], user="julia")
        count_id = self.count_ids[observation.key]
        assert self._done(lambda s: corrections.correct_containers(s, count_id, body)) == "written"
        observation.number = number
        self.model.held.update([observation.bed] if number else [])
        self._retried()

    @precondition(lambda self: self.model.posted)
    @rule(which=which)
    def a_count_is_taken_back(self, which: int) -> None:
        observation = self.model.posted[which % len(self.model.posted)]
        if not self.model.can_void(observation):
            return
        body = LedgerCommandCreate(movement_id=uuid4(), reason="another bed", user="julia")
        count_id = self.count_ids[observation.key]
        assert self._done(lambda s: count_decisions.void_count(s, count_id, body)) == "written"
        self.model.posted.remove(observation)
        self._retried()

    # Month's end.

    @rule(grace=st.integers(0, 5))
    def a_period_is_closed(self, grace: int) -> None:
        code = f"P{self._tick()}"
        boundary = self.boundary = max(self.boundary + 1, self.clock - grace)
        before = self._on_hand()
        with transaction() as session:
            julia = find_user(session, "julia")
            period = service.open_period(
                session, julia, code, moment(boundary), self.clock - boundary
            )
            for exception in service.explained_exceptions(
                session, period, period_lines(session, period)
            ):
                if exception.explanation is None:
                    self._explain(session, period, exception)
            closing.close(session, code, julia)
            rows = session.scalars(
                select(PeriodClosing).where(PeriodClosing.period_id == period.id)
            ).all()
            sales = {r.storage_location_id: r.sales for r in rows}
            ids = {bed: location(session, bed).location_id for bed in BEDS}
        assert self._on_hand() == before
        expected = self.model.close(self.clock)
        for line in expected:
            if (
                line.closing is None
                or line.opening.number
                or line.closing.number
                or ids[line.bed] in sales
            ):
                assert sales[ids[line.bed]] == line.sales
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
            event = Observation(self._tick(), bed, self.actual[bed], self.actual[bed])
            self._matches([event], [self._tell(event, queued=False)])
        for event in [*self.unreported]:
            self._matches([event], [self._tell(event)])
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
        assert posted == {self.count_ids[c.key]: c.number for c in self.model.posted}
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
        self.unreported.append(fact)

    def _tell(self, event: Fact | Observation, *, queued: bool = True) -> str:
        """Say it to the real ledger; how that ended."""
        if isinstance(event, Observation):
            answer = self._photograph(event) if event.by_photo else self._count(event)
            if queued:
                self.unreported = [other for other in self.unreported if other is not event]
            return answer
        fields: dict[str, Any] = {
            "movement_id": event.key,
            "movement_type": event.kind,
            "location_code": event.bed,
            "quantity": event.quantity,
            "occurred_at": moment(event.at),
            "user": "julia",
        }
        if event.to:
            fields["to_location_code"] = event.to
        if event.sign > 0:
            fields["new_lot"] = event.quantity % 3 == 0
            fields["category"] = "pot" if event.quantity % 2 else "segment"
        body = TypeAdapter(MovementCreate).validate_python(fields)
        answer = self._done(lambda session: commands.report(session, body))
        if answer == "written":
            self.unreported = [other for other in self.unreported if other is not event]
        return answer

    def _count(self, observation: Observation) -> str:
        body = HandCountCreate(
            movement_id=uuid4(),
            location_code=observation.bed,
            plants=observation.number,
            occurred_at=moment(observation.at),
            user="julia",
        )
        with transaction() as session:
            change = count_commands.count_by_hand(session, body)
        assert change.count_id is not None
        self.count_ids[observation.key] = change.count_id
        return change.waits_for or "posted"

    def _photograph(self, observation: Observation) -> str:
        with transaction() as session:
            supervisor(session)
            halves = (observation.number - observation.number // 3, observation.number // 3)
            photo_session = counted_session(
                session, photo_count((halves[0], 0), (halves[1], 0)), code=observation.bed,
                at=moment(observation.at),
            )  # fmt: skip
            record.record_session(session, photo_session)
            stand_for(session, photo_session)
            count = session.scalars(
                select(Count).where(Count.processing_session_id == photo_session.id)
            ).one()
            self.count_ids[observation.key] = count.id
            return photo_session.reason_code or "posted"

    def _done(self, act: Callable[[Session], Any]) -> str:
        try:
            with transaction() as session:
                change = act(session)
        except DomainError as refusal:
            return refusal.code
        assert change.waits_for is None, change.message
        return "written"

    def _at_once(self, events: list[Any]) -> None:
        """Two people at the same moment; or the same one twice, which is one effect."""
        with ThreadPoolExecutor(2) as pool:
            twice = [pool.submit(self._tell, event) for event in (events * 2)[:2]]
            answers = [future.result() for future in twice] if len(events) == 2 else None
            if answers is None:
                first, second = (future.result() for future in twice)
                if isinstance(events[0], Observation):
                    self._second_copy(events[0])
                    return
                assert first == second
                answers = [first]
        self._matches(events, answers)

    def _second_copy(self, observation: Observation) -> None:
        """Two counts of one moment say the same; the later of them is the one that is known."""
        with transaction() as session:
            ids = session.scalars(
                select(Count.id)
                .where(Count.captured_at == moment(observation.at))
                .order_by(Count.id)
            ).all()
        copies = [
            observation,
            Observation(
                observation.at,
                observation.bed,
                observation.number,
                observation.actual,
                observation.by_photo,
                copy=1,
            ),
        ]
        for copy, count_id in zip(copies, ids, strict=True):
            self.count_ids[copy.key] = count_id
            self.model.count(copy)
        self._retried()

    def _matches(self, events: list[Any], answers: list[str]) -> list[str]:
        """The model, told the same in one of the possible orders, answers the same."""
        orders = [events, events[::-1]]
        expected_answers = {
            event.key: answer for event, answer in zip(events, answers, strict=True)
        }
        for order in orders:
            trial = self._copy()
            model_answers = {event.key: self._to_model(trial, event) for event in order}
            if model_answers == expected_answers:
                self.model = trial
                self._retried()
                return answers
        raise AssertionError(f"{events}: the ledger says {answers}, the model {model_answers}")

    def _copy(self) -> Ledger:
        """The model, with the same facts and observations in lists of its own."""
        m = self.model
        return Ledger([*m.facts], [*m.posted], [*m.waiting], [*m.closed], {*m.held})

    @staticmethod
    def _to_model(model: Ledger, event: Fact | Observation) -> str:
        return model.tell(event) if isinstance(event, Fact) else model.count(event)

    def _retried(self) -> None:
        """The job that tries again what waits; people stand for what photos said."""
        self.model.retry()
        with transaction() as session:
            ids = [location(session, bed).location_id for bed in BEDS]
        for location_id in ids:
            retry.retry_waiting_counts(location_id)
        with transaction() as session:
            for photo_session in session.scalars(
                select(PhotoSession).where(PhotoSession.status == SessionStatus.NEEDS_REVIEW)
            ):
                stand_for(session, photo_session)

    def _undo_if_possible(self, fact: Fact) -> None:
        body = LedgerCommandCreate(movement_id=uuid4(), reason="it never happened")
        if self._done(lambda s: undone(s, fact.key, body)) == "written":
            self.model.facts.remove(fact)
            self.mistakes.remove(fact)
            self._retried()

    def _explain(self, session: Session, period: Any, explained: Any) -> None:
        service.explain(
            session,
            period,
            find_user(session, "julia"),
            "looked into",
            location_id=explained.line.location_id,
            product_id=explained.line.product_id,
            kind=explained.exception.kind,
        )

    def _on_hand(self) -> dict[str, int]:
        with transaction() as session:
            history = stock_by_hour(session)
        return {bed: (history[bed] or [(0, 0)])[-1][1] for bed in BEDS}

    def _sales_are_true(self, closings: list[Any]) -> None:
        """Where both counts were right and all but sales was told, sales are the true ones."""
        for line in closings:
            if line.closing is None or any(
                self.model.as_of(c.bed, c.at) != c.actual for c in (line.opening, line.closing)
            ):
                continue
            inside = [
                f
                for f in {f.key: f for f in [*self.happened, *self.model.facts]}.values()
                if line.bed in f.changes and line.opening.at < f.at <= line.closing.at
            ]
            others = [f for f in inside if f.kind != "ventas"]
            if all(f.is_true and any(f is t for t in self.model.facts) for f in others):
                plants_sold = sum(f.quantity for f in inside if f.kind == "ventas" and f.is_true)
                assert line.sales == plants_sold


def undone(session: Session, movement_id: UUID, body: LedgerCommandCreate) -> Any:
    return reversals.undo(session, commands.command_from(session, body), movement_id)


def stand_for(session: Session, photo_session: PhotoSession) -> None:
    """A person accepts what is only implausible."""
    if photo_session.reason_code == "implausible_change":
        record.post_again(session, photo_session, confirmed=True)
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
    history: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row in rows:
        history[row.code].append((float(row.hour), int(row.stock)))
    return history


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
    play(examples=int(EXAMPLES or 8), again=EXAMPLES is None)


@pytest.mark.long
def test_new_histories_each_time(nursery: None) -> None:
    play(examples=int(EXAMPLES or 40), again=False)


def play(examples: int, *, again: bool) -> None:
    """Random histories against the model; ``again`` plays the same ones each time."""
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=again,
            phases=tuple(Phase) if SHRINK else (Phase.generate,),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
