"""Month's end: what was sold comes out right, and stock stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core.errors import InvalidInput
from demeter.core.settings import settings
from demeter.periods import closing, service
from demeter.periods.errors import (
    EarlierPeriodOpen,
    NothingToExplain,
    PeriodExists,
    PeriodNotOver,
    PeriodState,
    SecondPersonNeeded,
    Unexplained,
)
from demeter.periods.figures import Line, period_lines
from demeter.periods.formula import ExceptionKind
from demeter.periods.models import Period, PeriodClosing, PeriodEvent, PeriodStatus
from demeter.photos import record
from demeter.photos.models import SessionStatus
from demeter.stock import movements
from demeter.stock.batches import LotKind
from demeter.stock.bin_choice import Destination
from demeter.stock.errors import PeriodClosed
from demeter.stock.models import MovementType, StockMovement
from support.ledgersteps import (
    assert_ledger_sound,
    command,
    correct,
    count,
    day,
    die,
    plant,
    reverse,
    sell,
    supervisor,
    transplant,
    void,
)
from support.nursery import (
    counted_session,
    location,
    on_hand,
    photo_count,
    plant_nursery,
    product,
    stock_as_of,
)


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)


def period(db: Session, code: str = "P1", ends: float = 30, grace: int = 48) -> Period:
    return service.open_period(db, supervisor(db), code, day(ends), grace)


def line(db: Session, of: Period, code: str = "A1") -> Line:
    (only,) = [each for each in period_lines(db, of) if each.location_code == code]
    return only


def kinds(db: Session, of: Period, code: str = "A1") -> list[ExceptionKind]:
    return [exception.kind for exception in line(db, of, code).exceptions]


def close(db: Session, of: Period) -> Period:
    return closing.close(db, of.code, supervisor(db))


def explain(db: Session, of: Period, code: str = "A1") -> int:
    chosen = service.Chosen(code, line(db, of, code).product_code)
    return service.explain(db, of, supervisor(db), "looked into", chosen)


def written(db: Session) -> list[tuple[str, int]]:
    return [
        (m.movement_type.value, m.quantity)
        for m in db.scalars(
            select(StockMovement)
            .where(StockMovement.closing_id.is_not(None))
            .order_by(StockMovement.id)
        )
    ]


def test_the_worked_example(db: Session) -> None:
    count(db, 10_000, 0)
    count(db, 1_000, 0, "A2")
    plant(db, 500, 5)
    die(db, 200, 10)
    transplant(db, 300, 15)
    count(db, 9_500, 30)
    count(db, 1_300, 30, "A2")
    march = period(db)
    figures = line(db, march).figures
    assert (figures.sales, figures.unrecorded_sales) == (500, 500)
    assert (figures.flows.planted, figures.flows.dead, figures.flows.moved_out) == (500, 200, 300)
    assert line(db, march, "A2").figures.sales == 0
    close(db, march)
    assert (on_hand(db), on_hand(db, "A2")) == (9_500, 1_300)
    assert written(db) == [("foto", 500), ("ventas", -500)]
    assert stock_as_of(db, day(30)) == 9_500
    assert line(db, march).figures.unrecorded_sales == 0


def test_negative_sales_are_an_exception_until_the_planting_is_told(db: Session) -> None:
    count(db, 100, 0)
    count(db, 130, 30)
    march = period(db)
    assert (line(db, march).figures.sales, kinds(db, march)) == (
        -30,
        [ExceptionKind.NEGATIVE_SALES],
    )
    with pytest.raises(Unexplained) as refused:
        close(db, march)
    assert refused.value.context["exceptions"][0]["figure"] == -30
    plant(db, 30, 20)
    assert (line(db, march).figures.sales, on_hand(db), kinds(db, march)) == (0, 130, [])
    close(db, march)
    assert (on_hand(db), written(db)) == (130, [])


def test_negative_sales_may_be_explained_and_stay_negative(db: Session) -> None:
    count(db, 100, 0)
    count(db, 130, 30)
    march = period(db)
    explain(db, march)
    close(db, march)
    closing_row = db.scalars(select(PeriodClosing)).one()
    assert (closing_row.sales, written(db), on_hand(db)) == (-30, [], 130)


def test_an_explanation_holds_only_for_the_figure_it_explained(db: Session) -> None:
    count(db, 100, 0)
    closing_count = count(db, 130, 30)
    march = period(db)
    explain(db, march)
    correct(db, closing_count, 140)
    with pytest.raises(Unexplained):
        close(db, march)


def test_sales_recorded_by_hand_are_not_written_again(db: Session) -> None:
    count(db, 100, 0)
    sell(db, 20, 10)
    count(db, 70, 30)
    march = period(db)
    assert (line(db, march).figures.sales, line(db, march).figures.unrecorded_sales) == (30, 10)
    close(db, march)
    assert written(db) == [("foto", 10), ("ventas", -10)]
    assert on_hand(db) == 70


def test_more_recorded_than_sold_is_an_exception_undone_by_a_reversal(db: Session) -> None:
    count(db, 100, 0)
    sale = sell(db, 20, 10)
    count(db, 85, 30)
    march = period(db)
    assert kinds(db, march) == [ExceptionKind.RECORDED_MORE]
    reverse(db, sale)
    assert kinds(db, march) == []
    close(db, march)
    assert written(db) == [("foto", 15), ("ventas", -15)]
    assert on_hand(db) == 85


def test_without_a_later_count_the_opening_carries_over(db: Session) -> None:
    count(db, 100, 0)
    sell(db, 5, 10)
    march, april = period(db), period(db, "P2", 60)
    assert kinds(db, march) == [ExceptionKind.NO_LATER_COUNT]
    assert line(db, march).figures.sales is None
    explain(db, march)
    close(db, march)
    closing_row = db.scalars(select(PeriodClosing)).one()
    assert (closing_row.sales, closing_row.closing_count_id, written(db)) == (None, None, [])
    count(db, 80, 60)
    assert line(db, april).figures.sales == 20


def test_the_next_period_opens_with_the_count_the_last_one_closed_with(db: Session) -> None:
    count(db, 100, 0)
    count(db, 90, 29)
    last = count(db, 80, 31)  # within the grace of two days
    march, april = period(db), period(db, "P2", 60)
    close(db, march)
    assert line(db, march).figures.sales == 20
    sell(db, 3, 31.5)
    count(db, 70, 60)
    opening = line(db, april).figures.opening
    assert (opening.count_id, opening.plants) == (last.count_id, 80)
    assert line(db, april).figures.sales == 10


def test_a_count_after_the_grace_does_not_close_the_period(db: Session) -> None:
    count(db, 100, 0)
    count(db, 90, 33)
    assert kinds(db, period(db)) == [ExceptionKind.NO_LATER_COUNT]


def test_a_tray_sold_out_and_gone_closes_to_its_sales(db: Session) -> None:
    photo_session = counted_session(db, photo_count((40, 0), (60, 0)), at=day(0))
    record.record_session(db, photo_session)
    gone = counted_session(db, photo_count((40, 0), width=40), at=day(30))
    record.record_session(db, gone)
    assert gone.status is SessionStatus.COMPLETED
    march = period(db)
    assert line(db, march).figures.sales == 60
    close(db, march)
    assert sorted(written(db)) == [("foto", 60), ("ventas", -60)]
    assert on_hand(db) == 40


def test_sales_come_from_the_oldest_lots_that_fell_short(db: Session) -> None:
    plant(db, 10, -2)
    plant(db, 10, -1, new_lot=True)
    count(db, 20, 0)
    count(db, 5, 30)
    march = period(db)
    close(db, march)
    assert written(db) == [("foto", 10), ("foto", 5), ("ventas", -10), ("ventas", -5)]
    assert on_hand(db) == 5


def test_a_small_difference_is_explained_a_greenhouse_at_a_time(db: Session) -> None:
    for code in ("A1", "A2"):
        for at, plants in ((0, 100), (30, 98)):
            photo_session = counted_session(
                db, photo_count((plants, 0), width=20), code=code, at=day(at)
            )
            record.record_session(db, photo_session)
    march = period(db)
    assert kinds(db, march) == [ExceptionKind.WITHIN_INTERVAL]
    small = service.Chosen("NAVE1", small_only=True)
    assert service.explain(db, march, supervisor(db), "within the error", small) == 2
    with pytest.raises(NothingToExplain):
        service.explain(db, march, supervisor(db), "again", service.Chosen("NORTH"))
    close(db, march)
    assert on_hand(db) == 98


def test_a_large_difference_is_not_explained_with_the_others(db: Session) -> None:
    count(db, 100, 0)
    count(db, 130, 30)
    small = service.Chosen("NAVE1", small_only=True)
    march = period(db)
    with pytest.raises(NothingToExplain):
        service.explain(db, march, supervisor(db), "all well", small)


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (service.Chosen(kind=ExceptionKind.NO_LATER_COUNT), 1),
        (service.Chosen("NAVE1"), 0),
        (service.Chosen("NAVE1", kind=ExceptionKind.NO_LATER_COUNT), 1),
        (service.Chosen("A1"), 2),
        (service.Chosen("NORTH", product_code="ECHEVERIA-01"), 0),
    ],
)
def test_exceptions_of_a_first_month_are_explained_in_one_act(
    db: Session, chosen: service.Chosen, left: int
) -> None:
    for code in ("A1", "A2"):
        count(db, 100, 0, code)
    count(db, 10, 0, "A3", product_id=product(db, "ECHEVERIA-01").id, product_state_id=3)
    count(db, 130, 30, "A3")
    march = period(db)
    service.explain(db, march, supervisor(db), "the first month", chosen)
    lines = period_lines(db, march)
    exceptions = service.explained_exceptions(db, march, lines)
    assert sum(explained.explanation is None for explained in exceptions) == left


def test_all_that_is_left_is_not_explained_at_once(db: Session) -> None:
    count(db, 100, 0)
    with pytest.raises(InvalidInput, match="name a place"):
        service.explain(db, period(db), supervisor(db), "whatever", service.Chosen())


def test_a_period_is_closed_once_its_end_has_come(db: Session) -> None:
    next_year = datetime.now(UTC) + timedelta(days=365)
    service.open_period(db, supervisor(db), "NEXT", next_year)
    with pytest.raises(PeriodNotOver):
        closing.close(db, "NEXT", supervisor(db))


@pytest.mark.parametrize("code", ["2026-11b", "", "2026-13", "0000-01", "9999-01", "A" * 51])
def test_a_code_that_names_no_period_is_refused(db: Session, code: str) -> None:
    with pytest.raises(InvalidInput):
        service.open_period(db, supervisor(db), code)


def test_a_count_that_nobody_accepted_is_an_exception(db: Session) -> None:
    count(db, 100, 0)
    photo_session = counted_session(db, photo_count((20, 0)), at=day(28))
    record.record_session(db, photo_session)
    assert photo_session.reason_code == "implausible_change"
    count(db, 95, 30)
    march = period(db)
    assert kinds(db, march) == [ExceptionKind.COUNT_NOT_ACCEPTED]
    assert explain(db, march) == 1
    close(db, march)


def test_negative_history_is_an_exception(db: Session) -> None:
    count(db, 10, 0)
    count(db, 50, 30)
    sell(db, 45, 20)
    march = period(db)
    assert kinds(db, march) == [ExceptionKind.NEGATIVE_SALES, ExceptionKind.NEGATIVE_HISTORY]
    assert line(db, march).exceptions[1].figure == -35


def test_what_is_closed_is_refused_until_it_is_reopened(db: Session) -> None:
    count(db, 100, 0)
    last = count(db, 80, 30)
    march = period(db)
    close(db, march)
    for report in (
        lambda: sell(db, 1, 20),
        lambda: plant(db, 1, 30),
        lambda: void(db, last),
        lambda: correct(db, last, 70),
    ):
        with pytest.raises(PeriodClosed):
            report()
    assert count(db, 90, 20).waits_for == "period_closed"
    waits = counted_session(db, photo_count((90, 0), width=60), at=day(25))
    record.record_session(db, waits)
    assert (waits.reason_code, waits.posted_at) == ("period_closed", None)
    sell(db, 1, 30.5)
    closing.reopen(db, "P1", supervisor(db), "a planting was forgotten")
    plant(db, 5, 20)
    record.post_again(db, waits)
    assert waits.status is SessionStatus.COMPLETED
    assert line(db, march).figures.sales == 25


def test_closing_reopening_and_closing_again(db: Session) -> None:
    count(db, 100, 0)
    count(db, 80, 30)
    march = period(db)
    close(db, march)
    with pytest.raises(PeriodState):
        close(db, march)
    closing.reopen(db, "P1", supervisor(db), "forgot a planting")
    assert written(db) == [("foto", 20), ("ventas", -20), ("ventas", 20), ("foto", -20)]
    assert (on_hand(db), line(db, march).figures.unrecorded_sales) == (80, 20)
    plant(db, 7, 10)
    close(db, march)
    assert written(db)[4:] == [("foto", 27), ("ventas", -27)]
    assert on_hand(db) == 80
    events = db.scalars(select(PeriodEvent.event).order_by(PeriodEvent.id)).all()
    assert events == ["opened", "closed", "reopened", "closed"]


def test_a_transplant_between_two_counts_is_no_sale(db: Session) -> None:
    count(db, 100, 0)
    count(db, 50, 0, "A2")
    undone = transplant(db, 10, 5)
    reverse(db, undone)
    transplant(db, 30, 10)
    count(db, 65, 30)
    count(db, 80, 30, "A2")
    march = period(db)
    assert (line(db, march).figures.sales, line(db, march, "A2").figures.sales) == (5, 0)
    assert line(db, march).figures.flows.moved_out == 30
    assert line(db, march).figures.flows.moved_in == 0


def test_periods_close_in_their_order_and_reopen_against_it(db: Session) -> None:
    count(db, 100, 0)
    count(db, 80, 30)
    march, april = period(db), period(db, "P2", 60)
    count(db, 70, 60)
    with pytest.raises(EarlierPeriodOpen):
        close(db, april)
    close(db, march)
    close(db, april)
    with pytest.raises(EarlierPeriodOpen):
        closing.reopen(db, "P1", supervisor(db), "why not")


def test_two_people_close_where_the_setting_asks(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "closing_two_people", True)
    count(db, 100, 0)
    count(db, 80, 30)
    march = period(db)
    assert close(db, march).status is PeriodStatus.PROPOSED
    with pytest.raises(SecondPersonNeeded):
        close(db, march)
    second = db.scalars(select(User).where(User.username == "rosa")).one()
    assert closing.close(db, "P1", second).status is PeriodStatus.CLOSED


def test_a_month_ends_at_the_site(db: Session) -> None:
    new_period = service.open_period(db, supervisor(db), "2026-12")
    assert new_period.boundary_at.isoformat() == "2027-01-01T00:00:00-03:00"
    with pytest.raises(PeriodExists):
        service.open_period(db, supervisor(db), "2026-12")


def test_a_period_without_any_count_closes_empty(db: Session) -> None:
    plant(db, 5, 1)
    march = period(db)
    assert period_lines(db, march) == []
    close(db, march)
    assert on_hand(db) == 5


def test_two_products_of_one_place_are_told_apart(db: Session) -> None:
    count(db, 100, 0)
    other = LotKind(product(db, "MAMMILLARIA-01").id, 3)
    movements.plant(db, command(db, day(5)), Destination(location(db).location_id), other, 40)
    count(db, 90, 30)
    march = period(db)
    sales = {each.product_code: each.figures.sales for each in period_lines(db, march)}
    assert sales == {"ECHEVERIA-01": 10, "MAMMILLARIA-01": 40}
    close(db, march)
    sold = db.scalars(
        select(StockMovement.quantity).where(StockMovement.movement_type == MovementType.VENTAS)
    )
    assert sorted(sold) == [-40, -10]
    assert on_hand(db) == 90


def test_the_pairs_stand_just_before_the_closing_count(db: Session) -> None:
    count(db, 100, 0)
    count(db, 80, 30)
    close(db, period(db))
    moments = set(
        db.scalars(select(StockMovement.occurred_at).where(StockMovement.closing_id.is_not(None)))
    )
    assert moments == {day(30) - timedelta(microseconds=1)}
