"""People's own models: added, put to work, rolled back; the shipped ones are the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import blobs, db, jobs, logs
from demeter.core.blob_jobs import store_blob
from demeter.core.notices import Notice
from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision_models import inspect_file, package
from demeter.vision_models.errors import ModelNotFound, ModelStays
from demeter.vision_models.inspect_file import ModelKind
from demeter.vision_models.models import (
    ActivationKind,
    ModelActivation,
    ModelComparison,
    VisionModel,
    VisionTask,
)

log = logs.get(__name__)

SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class ModelCandidate:
    """A model file that was inspected and runs; not yet in the registry."""

    network: Path
    kind: ModelKind
    mapping: Mapping[str, str]
    licence: str | None
    notices: tuple[Notice, ...] = ()  # what is odd in its answers


def inspect_model(
    path: Path,
    into: Path,
    mapping: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
    licence: str | None = None,
) -> ModelCandidate:
    """Inspect a file and run it once; an archive is unpacked into the folder ``into``.

    Raises:
        ModelRefused: it cannot serve; says what did not fit.
    """
    network = package.find_network(path, into)
    kind = inspect_file.kind_of(network, names)
    inspect_file.require_classes(network, kind, mapping or {})
    model = inspect_file.load_network(network, kind, mapping or {}, Precision.F32, 1)
    notices = inspect_file.require_running(network, kind, model)
    return ModelCandidate(network, kind, dict(mapping or {}), licence, notices)


def add(session: Session, user: User, candidate: ModelCandidate) -> VisionModel:
    """Keep a model; the same file again is the same model.

    Its mapping may be changed by adding it again until it was put to work: counts that were
    made with it must keep their meaning.

    Raises:
        ModelRefused: it was at work with another mapping of classes.
    """
    kind = candidate.kind
    db.lock_key(session, "vision_model", kind.sha256)
    row = session.scalar(select(VisionModel).where(VisionModel.sha256 == kind.sha256))
    if row is None:
        row = _keep_model(session, user, candidate)
    elif row.class_mapping != candidate.mapping:
        _require_unused(session, row, candidate)
        row.class_mapping = dict(candidate.mapping)
    row.licence = candidate.licence or row.licence
    session.flush()
    log.info("model_added", model=row.name, sha256=row.sha256, task=row.task)
    return row


def find(session: Session, name: str) -> VisionModel:
    """The model of this name, or whose hash begins so.

    Raises:
        ModelNotFound: there is none, or more than one.
    """
    rows = session.scalars(
        select(VisionModel)
        .where((VisionModel.name == name) | VisionModel.sha256.startswith(name.lower()))
        .order_by(VisionModel.id)
    ).all()
    if len(rows) != 1:
        hashes = ", ".join(row.sha256[:12] for row in rows) or "none"
        raise ModelNotFound(f"{name!r} is the name or the hash's beginning of {hashes}", name=name)
    return rows[0]


def all_models(session: Session) -> Sequence[VisionModel]:
    """Every model, oldest first."""
    return session.scalars(select(VisionModel).order_by(VisionModel.id)).all()


def history(session: Session, task: VisionTask) -> Sequence[ModelActivation]:
    """Who put which model to work, oldest first."""
    return session.scalars(
        select(ModelActivation).where(ModelActivation.task == task).order_by(ModelActivation.id)
    ).all()


def active(session: Session, task: VisionTask) -> VisionModel | None:
    """The model at work; ``None`` is the shipped one."""
    last = session.scalar(
        select(ModelActivation)
        .where(ModelActivation.task == task)
        .order_by(ModelActivation.id.desc())
        .limit(1)
    )
    return last.model if last else None


def lock(session: Session, task: VisionTask) -> None:
    """Until the transaction ends nobody else puts a model to work for the task."""
    db.lock_key(session, "vision_task", task)


def activate(
    session: Session,
    user: User,
    model: VisionModel | None,
    task: VisionTask,
    *,
    reason: str | None = None,
    comparison: ModelComparison | None = None,
) -> ModelActivation:
    """Put a model to work from the next photo on; ``None`` is the shipped one.

    Raises:
        ModelStays: it is at work already, or is for another task.
    """
    lock(session, task)
    if model is not None and model.task is not task:
        raise ModelStays(f"{model.name} is for {model.task}, not for {task}")
    active_model = active(session, task)
    if active_model is model:
        raise ModelStays(f"{_model_name(model)} is at work already for {task}")
    kind = ActivationKind.ACTIVATE if comparison is None else ActivationKind.PROMOTE
    return _write_activation(session, user, task, kind, model, reason, comparison)


def roll_back(
    session: Session, user: User, task: VisionTask, reason: str | None = None
) -> ModelActivation:
    """Put the model to work that was before the present one; again: the one before that.

    Raises:
        ModelStays: the shipped model is at work, and none was before it.
    """
    lock(session, task)
    stack = _activation_stack(history(session, task))
    if not stack:
        raise ModelStays(f"no model was at work for {task} before the present one")
    before = stack[-2] if len(stack) > 1 else None
    return _write_activation(session, user, task, ActivationKind.ROLLBACK, before, reason, None)


def _activation_stack(rows: Sequence[ModelActivation]) -> list[VisionModel | None]:
    """What was put to work and not rolled back, the present one last; at first nothing."""
    stack: list[VisionModel | None] = []
    for row in rows:
        if row.kind is ActivationKind.ROLLBACK:
            stack.pop()
        else:
            stack.append(row.model)
    return stack


def _write_activation(
    session: Session,
    user: User,
    task: VisionTask,
    kind: ActivationKind,
    model: VisionModel | None,
    reason: str | None,
    comparison: ModelComparison | None,
) -> ModelActivation:
    row = ModelActivation(
        task=task,
        kind=kind,
        vision_model_id=model.id if model else None,
        model_comparison_id=comparison.id if comparison else None,
        user_id=user.id,
        reason=reason,
    )
    session.add(row)
    session.flush()
    log.info("model_activated", task=task, model=_model_name(model), kind=kind, user=user.username)
    return row


def _keep_model(session: Session, user: User, candidate: ModelCandidate) -> VisionModel:
    kind = candidate.kind
    body = package.pack(candidate.network)
    sha256 = blobs.accept(session, body, "application/octet-stream")
    jobs.enqueue(session, store_blob, sha256=sha256)
    row = VisionModel(
        sha256=kind.sha256,
        blob_sha256=sha256,
        name=candidate.network.stem,
        task=kind.task,
        family=kind.family,
        format=package.format_of(candidate.network),
        classes=list(kind.classes),
        class_mapping=dict(candidate.mapping),
        input_side_px=kind.input_side_px,
        size_bytes=len(body),
        added_by_user_id=user.id,
    )
    session.add(row)
    return row


def _require_unused(session: Session, row: VisionModel, candidate: ModelCandidate) -> None:
    activation = (
        select(ModelActivation.id).where(ModelActivation.vision_model_id == row.id).limit(1)
    )
    if session.scalar(activation) is not None:
        raise ModelRefused(
            candidate.network.name,
            f"was at work with the classes mapped as {row.class_mapping}; counts made with it "
            "keep that meaning",
        )


def _model_name(model: VisionModel | None) -> str:
    return model.name if model else SHIPPED
