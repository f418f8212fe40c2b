"""Intervals fitted to the models at work: on marked photos, on blind recounts, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from demeter.cli import models as cli
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.learning import calibration
from demeter.learning.calibration import CalibrationSample, calibrate
from demeter.learning.errors import TooLittleTruth
from demeter.learning.recount_samples import samples_of_recounts
from demeter.photos import record
from demeter.review import session_decisions
from demeter.vision.interval.fit import Observation
from demeter.vision.interval.interval import Evidence, shipped_error_model
from demeter.vision_models import active
from learning.test_promotion import marked_folder
from support.nursery import counted_session, photo_count, plant_nursery, user
from support.served import client
from support.standins import stand_in_models

assert client, marked_folder  # pytest finds the fixtures by their names here

SHIPPED = shipped_error_model()
TIGHT = replace(
    SHIPPED,
    container=replace(SHIPPED.container, low=-0.1, high=0.1),
    total=replace(SHIPPED.total, low=-0.1, high=0.1),
)


def samples_off_by(count: int, off_by: float, number: int = 200) -> list[CalibrationSample]:
    """Counts whose truth is off by a normal error of the share ``off_by``."""
    rng = np.random.default_rng(3)
    truths = np.maximum(0, np.rint(count * (1 + rng.normal(0, off_by, number)))).astype(int)
    return [
        CalibrationSample(o, (o,))
        for t in truths
        for o in [Observation(Evidence(count, 0, 4.0), int(t))]
    ]


def test_fitted_intervals_hold_nine_in_ten_photos_that_they_were_not_fitted_on() -> None:
    result = calibrate(samples_off_by(300, 0.1), TIGHT, "test")
    assert result.present.photos < 0.3
    assert 0.85 <= result.fitted.photos <= 0.95
    assert 0.85 <= result.fitted.containers <= 0.95
    assert result.is_better


def test_intervals_that_are_much_too_wide_are_tightened() -> None:
    wide = replace(TIGHT, total=replace(TIGHT.total, low=-80.0, high=80.0))
    result = calibrate(samples_off_by(300, 0.02), wide, "test")
    assert (result.present.photos, result.is_better) == (1.0, True)
    assert result.fitted.width < 0.2 * result.present.width


def test_what_covers_no_better_is_told_so() -> None:
    first = calibrate(samples_off_by(300, 0.1), TIGHT, "test")
    again = calibrate(samples_off_by(300, 0.1), first.model, "test")
    assert not again.is_better


def test_too_few_photos_fit_nothing() -> None:
    with pytest.raises(TooLittleTruth, match="24 photos"):
        calibrate(samples_off_by(300, 0.1, 24), TIGHT, "test")


@pytest.fixture
def db(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    plant_nursery(session)
    monkeypatch.setattr(settings(), "blind_share", 1.0)
    return session


def add_recount(
    db: Session, plants: int, *containers: tuple[int, int | None], **models: str
) -> None:
    detect, segment = active.identities(None, None)
    names = {"detect": f"plants@{detect}", "segment": f"containers@{segment}"} | models
    photo_session = counted_session(db, replace(photo_count(*containers), models=names))
    record.record_session(db, photo_session)
    session_decisions.recount_blind(db, photo_session.session_id, user(db), plants, {})


def test_blind_recounts_are_truth_for_the_models_that_counted(db: Session) -> None:
    add_recount(db, 12, (8, 2))
    add_recount(db, 9, (4, 0), (4, 0))
    single, double = samples_of_recounts(db)
    assert (single.total.truth, single.total.error, len(single.containers)) == (12, 2, 1)
    assert (double.total.evidence.detected, double.containers) == (8, ())
    assert single.total.evidence.doubt == pytest.approx(8 * 0.8 * 0.2)


def test_recounts_of_other_models_and_of_unknown_estimates_say_nothing(db: Session) -> None:
    add_recount(db, 12, (8, 2), detect="plants@another")
    add_recount(db, 12, (8, None))
    assert samples_of_recounts(db) == []


def test_the_last_kept_error_model_is_in_use_until_the_shipped_one_is_again(db: Session) -> None:
    result = calibrate(samples_off_by(300, 0.1), TIGHT, "from here")
    calibration.keep_error_model(db, user(db), result)
    choice, _, errors = active.choice_at_work(db)
    assert (errors, choice.error_model_id is None) == (result.model, False)
    calibration.keep_error_model(db, user(db), None)
    choice, _, errors = active.choice_at_work(db)
    assert (errors, choice.error_model_id) == (shipped_error_model(), None)


def test_an_error_model_is_of_one_pair_of_models(db: Session) -> None:
    row = calibration.keep_error_model(
        db, user(db), calibrate(samples_off_by(300, 0.1), TIGHT, "here")
    )
    assert active.error_model(db, None, None) is row
    assert (row.detect_sha256, row.segment_sha256) == active.identities(None, None)


def run(*words: str) -> str:
    result = CliRunner().invoke(cli.app, ["calibrate", *words])
    assert result.exit_code == 0, result.exception
    return result.output


def test_the_command_counts_marked_photos_and_keeps_what_is_better(
    client, marked_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "models_at_work", lambda _: stand_in_models())
    monkeypatch.setattr(calibration, "FEWEST", 6)
    monkeypatch.setattr("demeter.vision.interval.fit._FEWEST", 4)
    output = run(str(marked_folder), "--only-tell")
    assert "Not kept." in output
    assert "6 photos, 0 containers" in output
    run(str(marked_folder), "--anyway", "--user", "rosa")
    with transaction() as session:
        _, _, errors = active.choice_at_work(session)
    assert errors.source == f"Fitted on 6 marked photos of {marked_folder.name}."
    assert "shipped intervals" in run("--back")
