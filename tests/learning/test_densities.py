"""How close plants stand, learnt from reviewed containers: figures, and what is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from demeter.catalog.models import DensityParameter
from demeter.cli import dataset as cli
from demeter.learning.densities import density_of, learn_densities
from demeter.learning.reviewed_containers import reviewed_containers
from demeter.locations.models import StorageBinType
from demeter.photos import inference, record
from demeter.photos.pair_results import BEFORE
from demeter.stock.ledger import LedgerCommand
from demeter.vision.values import ContainerType, PhotoCount
from support.corrections import correct_session
from support.nursery import NOON, counted_session, location, photo_count, plant_nursery, user
from support.served import client

assert client  # pytest finds the fixture by its name here

PARAMETERS = {"foliage_share_of_plant": 0.8}


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    return session


def answer(detected: int, estimated: int) -> PhotoCount:
    photo = photo_count((detected, estimated))
    parts = tuple(replace(e, parameters=PARAMETERS) for e in photo.estimations)
    return replace(photo, estimations=parts)


def add_review(
    db: Session, detected: int, estimated: int, truth: int, day: int, *, is_split: bool = False
) -> None:
    """A count of bed A1, corrected to the truth; ``is_split``: a part of it is another photo's."""
    photo_session = counted_session(db, answer(detected, estimated), at=NOON + timedelta(days=day))
    if is_split:
        (image,) = photo_session.images
        image.result = (image.result or {}) | {BEFORE: image.result}
        db.flush()
    record.record_session(db, photo_session)
    command = LedgerCommand(uuid4(), user(db).id, None, "looked")
    correct_session(db, command, photo_session, {1: truth})


def add_five_reviews(db: Session, *, side_cm: float | None = 100) -> None:
    """Five reviews of a container of 200 x 200 px: 8 plants of 8 x 9 px, 10 estimated for 12."""
    for day in range(5):
        add_review(db, 8, 10, 20, day)
    db.execute(update(StorageBinType).values(length_cm=side_cm, width_cm=side_cm))
    db.expire_all()


def test_a_container_of_known_size_says_how_close_and_how_wide_plants_are(db: Session) -> None:
    add_five_reviews(db)
    density = density_of(list(reviewed_containers(db)))
    assert (density.containers, density.plants) == (5, 100)
    assert density.plants_per_m2 == 20.0
    assert density.avg_diameter_cm == pytest.approx((8 * 9) ** 0.5 / 2, abs=0.01)
    assert density.avg_area_per_plant_cm2 == pytest.approx(0.785398 * (8 * 9) / 4 * 0.8, abs=0.1)


def test_a_bed_of_which_another_photo_counts_a_part_says_nothing(db: Session) -> None:
    add_five_reviews(db)
    alone = list(reviewed_containers(db))
    add_review(db, 4, 5, 10, 5, is_split=True)
    assert list(reviewed_containers(db)) == alone
    assert density_of(alone).plants_per_m2 == 20.0


def test_where_plants_hid_more_of_each_other_the_factor_comes_down(db: Session) -> None:
    add_five_reviews(db, side_cm=None)
    density = density_of(list(reviewed_containers(db)))
    assert density.overlap_adjustment_factor == round(0.85 * 10 / 12, 3)
    assert density.plants_per_m2 is None


def test_what_is_learnt_is_used_for_the_next_photo_and_a_persons_entry_is_kept(
    db: Session,
) -> None:
    add_five_reviews(db)
    (finding,) = learn_densities(db, write=True)
    assert finding.outcome == "written"
    row = db.scalars(select(DensityParameter)).one()
    assert (row.learnt_from, row.plants_per_m2) == (5, Decimal("20.0"))
    hints = inference.hints_for(db, location(db).location_id)
    prior = hints.prior_of(ContainerType.SEGMENT)
    assert prior is not None
    assert prior.overlap_adjustment_factor == pytest.approx(0.708)
    size = hints.size_of(ContainerType.SEGMENT)
    assert size is not None
    assert (size.length_cm, size.width_cm) == (100, 100)
    row.learnt_from = row.learnt_at = None
    row.plants_per_m2 = Decimal(33)
    db.flush()
    (again,) = learn_densities(db, write=True)
    assert (again.outcome, row.plants_per_m2) == ("kept as a person entered it", 33)


def test_unless_told_to_write_nothing_is_written(db: Session) -> None:
    add_five_reviews(db)
    assert [finding.outcome for finding in learn_densities(db, write=False)] == ["would be written"]
    assert db.scalars(select(DensityParameter)).all() == []


def test_four_containers_are_too_few(db: Session) -> None:
    for day in range(4):
        add_review(db, 8, 10, 20, day)
    (finding,) = learn_densities(db, write=True)
    assert finding.outcome.startswith("too few")
    assert db.scalars(select(DensityParameter)).all() == []


def test_without_sizes_and_estimates_there_is_nothing_to_learn(db: Session) -> None:
    for day in range(5):
        add_review(db, 8, 0, 8 + day, day)
    (finding,) = learn_densities(db, write=True)
    assert finding.outcome.startswith("nothing")


def test_the_command_tells_an_empty_nursery_nothing(client) -> None:
    result = CliRunner().invoke(cli.app, ["densities", "--json"])
    assert (result.exit_code, json.loads(result.output)) == (0, [])
