"""Containers that a person drew anew: plants stay, the machine's attempt stays, numbers follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demeter.core.checks import run
from demeter.counts.checks import COUNTS
from demeter.counts.models import ContainerCount, Count
from demeter.locations.models import StorageBin
from demeter.photos import record
from demeter.photos.models import Detection, PhotoSession, SessionStatus
from demeter.review import container_edits, decision_log, queries, session_decisions
from demeter.review.container_edits import ContainerEdits
from demeter.review.container_plan import DrawnContainer
from demeter.review.errors import CorrectionRefused, CountChanged, OutlineRefused, PlantsLeftOut
from demeter.review.mark_edits import NewMark
from demeter.review.marks import marks_of
from demeter.review.models import DetectionCorrection
from demeter.stock.changes import LedgerChange
from demeter.vision.values import ContainerType, DetectedBox, PhotoCount
from support.corrections import correct_session
from support.ledgersteps import assert_ledger_sound, command
from support.nursery import NOON, counted_session, on_hand, photo_count, plant_nursery, user

SEGMENT, POT, BOX = ContainerType.SEGMENT, ContainerType.POT, ContainerType.BOX
FIRST, SECOND = (10, 10, 210, 210), (260, 10, 460, 210)


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    yield session
    assert_ledger_sound(session)
    assert [check for check in run(session, COUNTS) if check.wrong] == []


def outline(x1: int, y1: int, x2: int, y2: int) -> tuple[tuple[int, int], ...]:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def drawn(corners: tuple[int, int, int, int], *former: int, **facts: Any) -> DrawnContainer:
    return DrawnContainer(
        facts.pop("position", 1),
        outline(*corners),
        facts.pop("container_type", SEGMENT),
        former,
        **facts,
    )


def grid(answer: PhotoCount, columns: int = 4) -> PhotoCount:
    """The same answer with the plants of each container spread over it."""
    boxes: list[DetectedBox] = []
    for k, container in enumerate(answer.containers):
        (left, top), _, (right, bottom), _ = container.polygon_px
        own = [d for d in answer.detections if d.container == k]
        rows = -(-len(own) // columns)
        for n, box in enumerate(own):
            x = left + (right - left) * (n % columns + 0.5) / columns
            y = top + (bottom - top) * (n // columns + 0.5) / rows
            boxes.append(replace(box, xyxy_px=(x - 5, y - 5, x + 5, y + 5)))
    return replace(answer, detections=tuple(boxes))


def recorded(db: Session, *containers: tuple[int, int | None], **facts: Any) -> PhotoSession:
    code, at = facts.pop("code", "A1"), facts.pop("when", NOON)
    made = counted_session(db, grid(photo_count(*containers, **facts)), code=code, at=at)
    record.record_session(db, made)
    return made


def waiting(db: Session, *containers: tuple[int, int | None]) -> PhotoSession:
    """One that waits: its photo may show no plants."""
    answer = replace(grid(photo_count(*containers)), plants_likelihood=0.1)
    made = counted_session(db, answer)
    record.record_session(db, made)
    assert made.reason_code == "may_show_no_plants"
    return made


def edit(
    db: Session, made: PhotoSession, *containers: DrawnContainer, **facts: Any
) -> LedgerChange:
    count = queries.require_count(db, made)
    accept, if_match = facts.pop("accept", False), facts.pop("if_match", None)
    edits = ContainerEdits(tuple(containers), **facts)
    said = command(db, None, "drawn anew")
    return container_edits.edit_containers(
        db, said, count.id, edits, accept=accept, if_match=if_match
    )


def rows_of(db: Session, made: PhotoSession, attempt: int | None = None) -> list[ContainerCount]:
    return list(
        db.scalars(
            select(ContainerCount)
            .where(
                ContainerCount.processing_session_id == made.id,
                ContainerCount.attempt == (attempt or made.attempt),
                ContainerCount.seen,
            )
            .order_by(ContainerCount.container_index)
        )
    )


def answers(db: Session, made: PhotoSession) -> list[int | None]:
    db.expire_all()
    return [row.answer for row in rows_of(db, made)]


def test_a_container_is_split_and_its_plants_go_where_they_stand(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    halves = drawn((10, 10, 110, 210), 1), drawn((110, 10, 210, 210), 1)
    done = edit(db, made, *halves, drawn(SECOND, 2))
    assert (done.waits_for, made.attempt, on_hand(db)) == ("may_show_no_plants", 2, 0)
    assert answers(db, made) == [4, 4, 5]
    assert (made.total_detected, made.interval_low, made.interval_high) == (13, 11, 15)


def test_containers_are_merged_with_what_was_estimated_in_them(db: Session) -> None:
    made = waiting(db, (8, 3), (5, 2))
    edit(db, made, drawn((10, 10, 460, 210), 1, 2))
    (row,) = rows_of(db, made)
    assert (row.machine_detected, row.machine_estimated, row.answer) == (13, 5, 18)
    assert (row.interval_low, row.interval_high) == (15, 21)  # 2 plants each, in squares


def test_an_estimate_is_divided_by_where_its_residual_lies(db: Session) -> None:
    answer = grid(photo_count((8, 4)))
    part = replace(answer.estimations[0], residual_polygons_px=(outline(10, 10, 110, 60),))
    answer = replace(answer, estimations=(part,), plants_likelihood=0.1)
    made = counted_session(db, answer)
    record.record_session(db, made)
    edit(db, made, drawn((10, 10, 85, 210), 1), drawn((85, 10, 210, 210), 1))
    assert [row.machine_estimated for row in rows_of(db, made)] == [3, 1]
    assert made.total_estimated == 4


def test_a_type_is_changed_and_nothing_else(db: Session) -> None:
    made = waiting(db, (8, 3), (5, None))
    before = rows_of(db, made)
    edit(db, made, drawn(FIRST, 1, container_type=POT), drawn(SECOND, 2))
    after = rows_of(db, made)
    names = "machine_detected machine_estimated unknown_reason interval_low interval_high"
    for old, new in zip(before, after, strict=True):
        for name in (*names.split(), "residual_share", "confidence"):
            assert getattr(old, name) == getattr(new, name)
    assert [row.container_type for row in after] == [POT, SEGMENT]
    assert made.category_counts["pot"] == 1


def test_what_the_machine_said_stays_as_it_was(db: Session) -> None:
    made = waiting(db, (8, 3), (5, 0))
    kept = [(r.id, r.segment, r.machine_detected, r.human_corrected) for r in rows_of(db, made)]
    said = dict(made.images[0].result)
    edit(db, made, drawn((10, 10, 460, 210), 1, 2))
    edit(db, made, drawn((10, 10, 300, 210), 1), drawn((300, 10, 460, 210), 1))
    db.expire_all()
    rows = rows_of(db, made, 1)
    assert [(r.id, r.segment, r.machine_detected, r.human_corrected) for r in rows] == kept
    by_attempt = select(Detection.attempt, func.count()).group_by(Detection.attempt)
    assert dict(db.execute(by_attempt).all()) == {1: 13, 2: 13, 3: 13}
    assert made.images[0].result["containers_by_person"]["machine"] == said


def test_plants_outside_of_all_containers_are_left_out_only_by_name(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    smaller = drawn((10, 10, 110, 210), 1)
    with pytest.raises(PlantsLeftOut, match="4 plants would stand in no container"):
        edit(db, made, smaller, drawn(SECOND, 2))
    edit(db, made, smaller, drawn(SECOND, 2), leaves_out=True)
    assert answers(db, made) == [4, 5]
    edit(db, made, smaller, drawn(SECOND, 2, container_type=BOX))  # said already
    edit(db, made, drawn(FIRST, 1), drawn(SECOND, 2))
    assert answers(db, made) == [8, 5]  # they were only left out


def test_corrections_of_marks_go_along_in_the_name_of_who_made_them(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    first = db.scalars(select(Detection.id).order_by(Detection.id)).first()
    added = NewMark((300.0, 100.0, 310.0, 110.0))
    correct_session(db, command(db, None, "looked"), made, add=(added,), remove=(first,))
    assert answers(db, made) == [7, 6]
    rows = db.scalars(select(DetectionCorrection)).all()
    made_at = {row.created_at for row in rows}
    edit(db, made, drawn((10, 10, 460, 210), 1, 2))
    assert answers(db, made) == [13]
    marks = marks_of(db, made, 2)
    assert sum(m.removed for m in marks) == sum(m.by_person for m in marks) == 1
    carried = db.scalars(select(DetectionCorrection).where(DetectionCorrection.attempt == 2)).all()
    assert {row.created_at for row in carried} == made_at
    assert {row.reason for row in carried} == {"looked"}
    told = decision_log.decisions(db, made)
    assert sorted((d.kind, d.added, d.removed) for d in told) == [
        ("marked", 1, 1),
        ("redrawn", 0, 0),
    ]


def test_marks_change_along_with_the_containers(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    ids = list(db.scalars(select(Detection.id).order_by(Detection.id)))
    new = NewMark((225.0, 100.0, 235.0, 110.0))  # between the machine's containers
    wide = drawn((10, 10, 250, 210), 1)
    edit(db, made, wide, drawn(SECOND, 2), add=(new,), remove=(ids[0], ids[-1]))
    assert answers(db, made) == [8, 4]
    with pytest.raises(CorrectionRefused, match="no container of photo 1"):
        edit(db, made, drawn(FIRST, 1), drawn(SECOND, 2), add=(new,), leaves_out=True)
    with pytest.raises(CorrectionRefused, match="none that stands"):
        edit(db, made, wide, drawn(SECOND, 2), remove=(ids[0],))


def test_a_number_that_a_person_said_goes_along_where_its_plants_do(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    correct_session(db, command(db, None), made, plants={1: 10})
    made_again = on_hand(db)
    assert made_again == 15  # a number that was said posts the count
    edit(db, made, drawn((5, 5, 220, 220), 1, container_type=POT), drawn(SECOND, 2))
    assert answers(db, made) == [10, 5]
    edit(db, made, drawn((5, 5, 460, 220), 1, 2))
    assert answers(db, made) == [15]
    halves = drawn((5, 5, 110, 220), 1), drawn((110, 5, 460, 220), 1)
    edit(db, made, *halves)
    assert sum(n or 0 for n in answers(db, made)) == 13
    assert made.manual_adjustments["redrawn"][-1]["numbers_lost"] == [1]
    assert on_hand(db) == 13


def test_a_posted_count_is_posted_again_with_the_net_difference(db: Session) -> None:
    made = recorded(db, (8, 0), (5, 0))
    bins = {row.container_index: row.bin_id for row in rows_of(db, made)}
    done = edit(
        db, made, drawn((10, 10, 110, 210), 1), drawn((110, 10, 210, 210), 1), drawn(SECOND, 2)
    )
    assert (made.status, on_hand(db), made.posted_at is not None) == (
        SessionStatus.COMPLETED,
        13,
        True,
    )
    assert sum(m.quantity for m in done.movements) == 0
    after = rows_of(db, made)
    assert after[2].bin_id == bins[2]
    assert len({row.bin_id for row in after}) == 3


def test_a_container_is_the_bin_that_a_person_says(db: Session) -> None:
    first = recorded(db, (8, 0), (5, 0))
    old = {row.container_index: row.bin_id for row in rows_of(db, first)}
    moved = [(10, 500), (260, 500)]
    made = recorded(db, (8, 0), (5, 0), at=moved, when=NOON + timedelta(days=30))
    low, lower = (10, 500, 210, 700), (260, 500, 460, 700)
    new_bins = [row.bin_id for row in rows_of(db, made)]
    assert not {*new_bins} & {*old.values()}
    edit(db, made, drawn(low, 1, bin_id=old[1]), drawn(lower, 2, bin_id=old[2], container_type=BOX))
    assert [row.bin_id for row in rows_of(db, made)] == [old[1], old[2]]
    assert on_hand(db) == 13
    box = db.get_one(StorageBin, old[2])
    assert (box.bin_type.category, box.position_metadata["container_type"]) == (BOX, "box")
    with pytest.raises(OutlineRefused, match="cannot both be the same"):
        edit(db, made, drawn(low, 1, bin_id=old[1]), drawn(lower, 2, bin_id=old[1]))
    with pytest.raises(OutlineRefused, match="no container of A1"):
        edit(db, made, drawn(low, 1, bin_id=9_999_999), drawn(lower, 2))


def test_who_draws_second_is_refused_and_who_draws_is_kept(db: Session) -> None:
    made = waiting(db, (8, 0))
    seen = queries.count_etag(db, queries.require_count(db, made))
    edit(db, made, drawn(FIRST, 1, container_type=POT), if_match=seen)
    with pytest.raises(CountChanged):
        edit(db, made, drawn(FIRST, 1, container_type=BOX), if_match=seen)
    assert [row.container_type for row in rows_of(db, made)] == [POT]
    (told,) = decision_log.decisions(db, made)
    assert (told.kind, told.by, told.note) == ("redrawn", "julia", "drawn anew")


def test_accepting_with_the_containers_posts_at_once(db: Session) -> None:
    made = waiting(db, (8, 0))
    edit(db, made, drawn((10, 10, 110, 210), 1), drawn((110, 10, 210, 210), 1), accept=True)
    assert (made.status, made.validated, on_hand(db)) == (SessionStatus.COMPLETED, True, 8)


def test_an_edited_session_is_accepted_later(db: Session) -> None:
    made = waiting(db, (8, 0))
    edit(db, made, drawn((10, 10, 110, 210), 1), drawn((110, 10, 210, 210), 1))
    session_decisions.accept(db, made.session_id, user(db))
    assert (made.status, on_hand(db), answers(db, made)) == (SessionStatus.COMPLETED, 8, [4, 4])


@pytest.mark.parametrize(
    ("corners", "fault"),
    [
        (((10, 10), (200, 200)), "outline_too_few"),
        (((10, 10), (200, 200), (10, 10)), "outline_too_few"),
        (((10, 10), (100, 100), (200, 200)), "outline_too_small"),
        (((10, 10), (210, 210), (210, 10), (10, 210)), "outline_crosses_itself"),
        (((10, 10), (1001, 10), (210, 210)), "outline_outside"),
        (((-1, 10), (210, 10), (210, 210)), "outline_outside"),
    ],
)
def test_an_outline_that_is_none_is_refused_by_name(
    db: Session, corners: Sequence[tuple[int, int]], fault: str
) -> None:
    made = waiting(db, (8, 0))
    with pytest.raises(OutlineRefused) as refused:
        edit(db, made, DrawnContainer(1, tuple(corners), SEGMENT, (1,)))
    assert refused.value.context["fault"] == fault
    assert made.attempt == 1


def test_outlines_that_share_plants_are_refused(db: Session) -> None:
    made = waiting(db, (8, 0), (5, 0))
    with pytest.raises(OutlineRefused, match="overlap where plants stand"):
        edit(db, made, drawn((10, 10, 400, 210), 1), drawn(SECOND, 2))
    pot = drawn((20, 20, 100, 200), container_type=POT)  # a pot on a bed is a pot
    edit(db, made, drawn(FIRST, 1), pot, drawn(SECOND, 2))
    assert answers(db, made) == [4, 4, 5]


@pytest.mark.parametrize(
    "containers",
    [(), (drawn(FIRST, 7),), (drawn(FIRST, 1, position=2),), (drawn(FIRST, 1, position=9),)],
)
def test_what_makes_no_sense_is_refused(db: Session, containers: Sequence[DrawnContainer]) -> None:
    made = waiting(db, (8, 0))
    with pytest.raises(CorrectionRefused):
        edit(db, made, *containers)
    assert (made.attempt, db.scalar(select(Count.attempt))) == (1, 1)


def test_photos_keep_their_own_containers(db: Session) -> None:
    answer = replace(grid(photo_count((8, 0), (5, 0))), plants_likelihood=0.1)
    made = counted_session(db, answer, answer)
    record.record_session(db, made)
    second = [drawn(FIRST, 3, position=2), drawn(SECOND, 4, position=2)]
    edit(db, made, drawn((10, 10, 460, 210), 1, 2), *second)
    assert answers(db, made) == [13, 8, 5]
    assert [row.image_id for row in rows_of(db, made)] == [
        made.images[0].image_id,
        made.images[1].image_id,
        made.images[1].image_id,
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cut=st.integers(0, 1),
    at=st.integers(20, 190),
    plants=st.integers(0, 30),
    more=st.integers(0, 9),
)
def test_no_plant_comes_or_goes_however_a_container_is_cut(
    db: Session, cut: int, at: int, plants: int, more: int
) -> None:
    made = waiting(db, (plants, more), (5, 2))
    edge = 10 + at
    halves = (
        [(10, 10, edge, 210), (edge, 10, 210, 210)]
        if cut
        else [(10, 10, 210, edge), (10, edge, 210, 210)]
    )
    edit(db, made, *(drawn(half, 1) for half in halves), drawn(SECOND, 2))
    found = answers(db, made)
    assert (sum(n or 0 for n in found), found[2]) == (plants + more + 7, 7)
    assert (made.total_detected, made.total_estimated) == (plants + 5, more + 2)
    edit(db, made, drawn((10, 10, 460, 210), 1, 2, 3))
    assert answers(db, made) == [plants + more + 7]
