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
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.learning.bootstrap import FEWEST_PHOTOS, PairedComparison, compare_figures
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
class Judgement:
    """A comparison, and what it was made on."""

    task: VisionTask
    incumbent: VisionModel | None
    candidate: VisionModel | None
    dataset: str
    comparison: PairedComparison


def judge_models(
    bound_to: Engine,
    task: VisionTask,
    incumbent: VisionModel | None,
    candidate: VisionModel | None,
    folder: Path | None = None,
    on_progress: Progress | None = None,
    on_notice: Callable[[Notice], None] = lambda _: None,
) -> Judgement:
    """Count the same marked photos with both models; the other task's model is the one at work.

    ``folder`` holds marks as `demeter evaluate` reads them; without it the nursery's own
    accepted photos of held-out locations are taken. ``on_notice`` is told what is odd in it.

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
            marks = read_marks(folder, on_notice)
        comparison = _compare_models(bound_to, task, incumbent, candidate, marks, on_progress)
    return Judgement(
        task, incumbent, candidate, HELD_OUT if folder is None else folder.name, comparison
    )


def keep_comparison(
    session: Session, user: User, judgement: Judgement, margin: float = MARGIN
) -> ModelComparison:
    """Write a comparison down, and its figures onto the models."""
    figures = judgement.comparison.as_json() | {"margin": margin}
    row = ModelComparison(
        task=judgement.task,
        incumbent_sha256=judgement.incumbent.sha256 if judgement.incumbent else None,
        candidate_sha256=judgement.candidate.sha256 if judgement.candidate else None,
        dataset=judgement.dataset,
        photos=judgement.comparison.photos,
        figures=figures,
        passed=judgement.comparison.passes(margin),
        user_id=user.id,
    )
    session.add(row)
    for model, part in ((judgement.incumbent, "incumbent"), (judgement.candidate, "candidate")):
        if model is not None:
            _note_figures(session, model, judgement, part)
    session.flush()
    log.info("models_compared", task=judgement.task, passed=row.passed, photos=row.photos)
    return row


def promote(
    session: Session, user: User, judgement: Judgement, row: ModelComparison
) -> ModelActivation:
    """Put the candidate to work, if the comparison passed.

    The task is locked before the incumbent is looked at: of two promotions compared with the
    same model only the first goes through.

    Raises:
        GateClosed: it may be worse; gives the figures.
        ModelStays: another model was put to work meanwhile, or this one is already.
    """
    if not row.passed:
        raise GateClosed(_refusal(judgement.comparison, row.figures["margin"]), figures=row.figures)
    registry.lock(session, judgement.task)
    active_model = registry.active(session, judgement.task)
    if (active_model.sha256 if active_model else None) != row.incumbent_sha256:
        raise ModelStays("another model was put to work since the comparison: compare again")
    model = session.get_one(VisionModel, judgement.candidate.id) if judgement.candidate else None
    return registry.activate(session, user, model, judgement.task, comparison=row)


def _compare_models(
    bound_to: Engine,
    task: VisionTask,
    incumbent: VisionModel | None,
    candidate: VisionModel | None,
    marks: tuple[MarkedPhoto, ...],
    on_progress: Progress | None,
) -> PairedComparison:
    with Session(bound_to) as session:
        other_model = registry.active(session, _other_task(task))
    results = []
    for turn, model in enumerate((incumbent, candidate)):
        detect, segment = (
            (model, other_model) if task is VisionTask.DETECT else (other_model, model)
        )
        models = active.load_models(bound_to, detect, segment)

        def report(share: float, turn: int = turn) -> None:
            if on_progress:
                on_progress((turn + share) / 2)

        hints = Hints(framed_whole=True)
        results.append(list(evaluate_photos(marks, models, hints, on_progress=report)))
    return compare_figures(*results)


def _other_task(task: VisionTask) -> VisionTask:
    return VisionTask.SEGMENT if task is VisionTask.DETECT else VisionTask.DETECT


def _note_figures(session: Session, model: VisionModel, judgement: Judgement, part: str) -> None:
    row = session.get_one(VisionModel, model.id)
    figures = {
        "f1": getattr(judgement.comparison.f1, part),
        "mape": getattr(judgement.comparison.mape, part),
        "photos": judgement.comparison.photos,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    row.metrics = row.metrics | {judgement.dataset: figures}


def _refusal(comparison: PairedComparison, margin: float) -> str:
    if comparison.planted < FEWEST_PHOTOS:
        return (
            f"{comparison.planted} held-out photos with plants are too few to judge on: "
            f"{FEWEST_PHOTOS} are needed"
        )
    f1, mape = comparison.f1, comparison.mape
    return (
        f"on {comparison.photos} photos F1 changes by {f1.value:+.3f} (95 %: {f1.low:+.3f} to "
        f"{f1.high:+.3f}), the error of counts by {mape.value:+.1%} ({mape.low:+.1%} to "
        f"{mape.high:+.1%}); neither may be worse by more than {margin:.1%} within that, or one "
        "must be better within it and the other no worse"
    )
