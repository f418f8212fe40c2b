"""Judging models on held-out photos, and the gate through which they are promoted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import logs
from demeter.core.settings import settings
from demeter.learning.bootstrap import FEWEST_PHOTOS, Comparison, compared
from demeter.learning.dataset import Format, export
from demeter.learning.errors import GateClosed
from demeter.learning.splits import Side, SplitRule
from demeter.vision.hints import Hints
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.run import evaluate_photos
from demeter.vision_models import active, registry
from demeter.vision_models.errors import ModelStays
from demeter.vision_models.models import ModelActivation, ModelComparison, VisionModel, VisionTask

log = logs.get(__name__)

HELD_OUT = "held-out"
MARGIN = 0.01  # a hundredth of F1 or MAPE is what the same model's retraining differs by
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison, and what it was made on."""

    task: VisionTask
    incumbent: VisionModel | None
    candidate: VisionModel | None
    dataset: str
    comparison: Comparison


def judge(
    bound_to: Engine,
    task: VisionTask,
    incumbent: VisionModel | None,
    candidate: VisionModel | None,
    folder: Path | None = None,
    on_progress: Progress | None = None,
) -> Judged:
    """Count the same marked photos with both models; the other task's model is the one at work.

    ``folder`` holds marks as `demeter evaluate` reads them; without it the nursery's own
    accepted photos of held-out locations are taken.

    Raises:
        TooLittleTruth: no photo of a held-out location was accepted.
        LabelsRefused: the folder's marks cannot be read.
    """
    with ExitStack() as stack:
        if folder is None:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            rule = SplitRule(settings().held_out_share)
            export(bound_to, scratch / "set", Format.COCO, rule, only=Side.HELD_OUT)
            marks = read_marks(scratch / "set" / Side.HELD_OUT)
        else:
            marks = read_marks(folder)
        comparison = _compared(bound_to, task, incumbent, candidate, marks, on_progress)
    return Judged(
        task, incumbent, candidate, HELD_OUT if folder is None else folder.name, comparison
    )


def keep(session: Session, user: User, judged: Judged, margin: float = MARGIN) -> ModelComparison:
    """Write a comparison down, and its figures onto the models."""
    figures = judged.comparison.as_json() | {"margin": margin}
    row = ModelComparison(
        task=judged.task,
        incumbent_sha256=judged.incumbent.sha256 if judged.incumbent else None,
        candidate_sha256=judged.candidate.sha256 if judged.candidate else None,
        dataset=judged.dataset,
        photos=judged.comparison.photos,
        figures=figures,
        passed=judged.comparison.passes(margin),
        user_id=user.id,
    )
    session.add(row)
    for model, part in ((judged.incumbent, "incumbent"), (judged.candidate, "candidate")):
        if model is not None:
            _note_figures(session, model, judged, part)
    session.flush()
    log.info("models_compared", task=judged.task, passed=row.passed, photos=row.photos)
    return row


def promote(session: Session, user: User, judged: Judged, row: ModelComparison) -> ModelActivation:
    """Put the candidate to work, if the comparison passed.

    The task is locked before the incumbent is looked at: of two promotions compared with the
    same model only the first goes through.

    Raises:
        GateClosed: it may be worse; gives the figures.
        ModelStays: another model was put to work meanwhile, or this one is already.
    """
    if not row.passed:
        raise GateClosed(_why(judged.comparison, row.figures["margin"]), figures=row.figures)
    registry.lock(session, judged.task)
    now = registry.active(session, judged.task)
    if (now.sha256 if now else None) != row.incumbent_sha256:
        raise ModelStays("another model was put to work since the comparison: compare again")
    model = session.get_one(VisionModel, judged.candidate.id) if judged.candidate else None
    return registry.activate(session, user, model, judged.task, passed=row)


def _compared(
    bound_to: Engine,
    task: VisionTask,
    incumbent: VisionModel | None,
    candidate: VisionModel | None,
    marks: tuple[MarkedPhoto, ...],
    on_progress: Progress | None,
) -> Comparison:
    with Session(bound_to) as session:
        other = registry.active(session, _other(task))
    results = []
    for turn, model in enumerate((incumbent, candidate)):
        detect, segment = (model, other) if task is VisionTask.DETECT else (other, model)
        models = active.load(bound_to, detect, segment)

        def report(share: float, turn: int = turn) -> None:
            if on_progress:
                on_progress((turn + share) / 2)

        hints = Hints(framed_whole=True)
        results.append(list(evaluate_photos(marks, models, hints, on_progress=report)))
    return compared(*results)


def _other(task: VisionTask) -> VisionTask:
    return VisionTask.SEGMENT if task is VisionTask.DETECT else VisionTask.DETECT


def _note_figures(session: Session, model: VisionModel, judged: Judged, part: str) -> None:
    row = session.get_one(VisionModel, model.id)
    figures = {
        "f1": getattr(judged.comparison.f1, part),
        "mape": getattr(judged.comparison.mape, part),
        "photos": judged.comparison.photos,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    row.metrics = row.metrics | {judged.dataset: figures}


def _why(found: Comparison, margin: float) -> str:
    if found.planted < FEWEST_PHOTOS:
        return (
            f"{found.planted} held-out photos with plants are too few to judge on: "
            f"{FEWEST_PHOTOS} are needed"
        )
    f1, mape = found.f1, found.mape
    return (
        f"on {found.photos} photos F1 changes by {f1.value:+.3f} (95 %: {f1.low:+.3f} to "
        f"{f1.high:+.3f}), the error of counts by {mape.value:+.1%} ({mape.low:+.1%} to "
        f"{mape.high:+.1%}); neither may be worse by more than {margin:.1%} within that, or one "
        "must be better within it and the other no worse"
    )
