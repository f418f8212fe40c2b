"""Fitting the intervals' error model to the models at work, on independent ground truth.

That is either a folder of marked photos, or the blind recounts: numbers that people gave
before they saw the machine's. How well the fitted model covers is measured on photos it was
not fitted on (five folds), beside how well the present one covers the same photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.notices import Notice
from demeter.learning.errors import TooLittleTruth
from demeter.vision.hints import Hints
from demeter.vision.interval.fit import Observation, fit_error_model
from demeter.vision.interval.interval import ErrorModel, container_interval, total_interval
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.observations import container_observations, photo_observation
from demeter.vision.metrics.run import evaluate_photos
from demeter.vision_models import active
from demeter.vision_models.models import FittedErrorModel

log = logs.get(__name__)

FOLDS = 5
FEWEST = 25  # with a fifth set aside, what is left is enough to speak of tails
TARGET = 0.90


@dataclass(frozen=True, slots=True)
class CalibrationSample:
    """A photo (or a session) against its truth, and its containers where they were counted."""

    total: Observation
    containers: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often intervals hold the truth, and their mean width in plants."""

    photos: float
    containers: float
    width: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted error model, how it and the present one cover photos it was not fitted on."""

    model: ErrorModel
    samples: int
    containers: int
    present: Coverage
    fitted: Coverage

    @property
    def is_better(self) -> bool:
        """Whether it comes nearer to nine in ten than the present one, or as near and tighter."""
        fitted_miss, present_miss = (abs(c.photos - TARGET) for c in (self.fitted, self.present))
        return fitted_miss < present_miss or (
            fitted_miss == present_miss and self.fitted.width < self.present.width
        )

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"is_better": self.is_better}


def samples_of_folder(
    bound_to: Engine,
    folder: Path,
    on_progress: Callable[[float], None] | None = None,
    on_notice: Callable[[Notice], None] = lambda _: None,
) -> list[CalibrationSample]:
    """Count a folder's marked photos with the models at work.

    ``on_notice`` is told what is odd in the folder.

    Raises:
        LabelsRefused: the marks cannot be read.
    """
    run = evaluate_photos(
        read_marks(folder, on_notice),
        active.models_at_work(bound_to),
        Hints(framed_whole=True),
        on_progress=on_progress,
    )
    return [
        CalibrationSample(total, tuple(container_observations(figure)))
        for figure in run
        if (total := photo_observation(figure)) is not None
    ]


def calibrate(
    samples: Sequence[CalibrationSample], present: ErrorModel, source: str
) -> Calibration:
    """Fit on all samples; coverage is measured in five folds.

    Raises:
        TooLittleTruth: fewer than 25 samples.
    """
    if len(samples) < FEWEST:
        raise TooLittleTruth(
            f"{len(samples)} photos with a known truth; {FEWEST} are needed to fit intervals",
            samples=len(samples),
            needed=FEWEST,
        )
    folds = [fit_to_samples(_outside_fold(samples, k), source) for k in range(FOLDS)]
    return Calibration(
        model=fit_to_samples(samples, source),
        samples=len(samples),
        containers=sum(len(s.containers) for s in samples),
        present=_coverage(samples, [present] * FOLDS),
        fitted=_coverage(samples, folds),
    )


def fit_to_samples(samples: Sequence[CalibrationSample], source: str) -> ErrorModel:
    """Where hardly any container was counted by itself, the whole photos speak for them."""
    totals = [s.total for s in samples]
    containers = [o for s in samples for o in s.containers]
    return fit_error_model(containers if len(containers) >= len(totals) else totals, totals, source)


def keep_error_model(
    session: Session, user: User, calibration: Calibration | None, note: str | None = None
) -> FittedErrorModel:
    """Use it from the next photo on for the models at work; ``None``: the shipped one again."""
    _, rows, _ = active.choice_at_work(session)
    detect, segment = active.identities(*rows.values())
    row = FittedErrorModel(
        detect_sha256=detect,
        segment_sha256=segment,
        model=asdict(calibration.model) if calibration else None,
        report=calibration.as_json() if calibration else {"note": note or "the shipped one again"},
        user_id=user.id,
    )
    session.add(row)
    session.flush()
    log.info("error_model_kept", samples=calibration.samples if calibration else 0)
    return row


def _outside_fold(samples: Sequence[CalibrationSample], fold: int) -> list[CalibrationSample]:
    return [s for n, s in enumerate(samples) if n % FOLDS != fold]


def _coverage(samples: Sequence[CalibrationSample], models: Sequence[ErrorModel]) -> Coverage:
    """Each sample under the model of its fold."""
    photos, containers, widths = [], [], []
    for number, sample in enumerate(samples):
        model = models[number % FOLDS]
        low, high = total_interval([sample.total.evidence], model)
        photos.append(low <= sample.total.truth <= high)
        widths.append(high - low)
        for container in sample.containers:
            bottom, top = container_interval(container.evidence, model)
            containers.append(bottom <= container.truth <= top)
    shares = [float(np.mean(rows)) if rows else 1.0 for rows in (photos, containers)]
    return Coverage(round(shares[0], 4), round(shares[1], 4), round(float(np.mean(widths)), 1))
