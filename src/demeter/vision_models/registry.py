"""People's own models: added, put to work, rolled back; the shipped ones are the default."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import blobs, db, jobs, logs
from demeter.core.blob_jobs import store_blob
from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision_models import inspect_file, package
from demeter.vision_models.errors import ModelNotFound, ModelStays
from demeter.vision_models.inspect_file import Kind
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
class Candidate:
    """A model file that was looked at and runs; not yet in the registry."""

    network: Path
    kind: Kind
    mapping: Mapping[str, str]
    licence: str | None


def inspected(
    path: Path,
    into: Path,
    mapping: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
    licence: str | None = None,
) -> Candidate:
    """Look at a file and run it once; an archive is unpacked into the folder ``into``.

    Raises:
        ModelRefused: it cannot serve; says what did not fit.
    """
    network = package.opened(path, into)
    kind = inspect_file.kind_of(network, names)
    inspect_file.require_classes(network, kind, mapping or {})
    model = inspect_file.loaded(network, kind, mapping or {}, Precision.F32, 1)
    inspect_file.require_running(network, kind, model)
    return Candidate(network, kind, dict(mapping or {}), licence)


def add_file(
    session: Session,
    user: User,
    path: Path,
    mapping: Mapping[str, str] | None = None,
    names: Sequence[str] = (),
    licence: str | None = None,
) -> VisionModel:
    """`inspected` and `add` at once."""
    with tempfile.TemporaryDirectory() as folder:
        return add(session, user, inspected(path, Path(folder), mapping, names, licence))


def add(session: Session, user: User, candidate: Candidate) -> VisionModel:
    """Keep a model; the same file again is the same model.

    Its mapping may be changed by adding it again until it was put to work: counts that were
    made with it must keep their meaning.

    Raises:
        ModelRefused: it was at work with another mapping of classes.
    """
    kind = candidate.kind
    db.lock_key(session, "vision_model", kind.sha256)
    found = session.scalar(select(VisionModel).where(VisionModel.sha256 == kind.sha256))
    if found is None:
        found = _kept(session, user, candidate)
    elif found.class_mapping != candidate.mapping:
        _require_unused(session, found, candidate)
        found.class_mapping = dict(candidate.mapping)
    found.licence = candidate.licence or found.licence
    session.flush()
    log.info("model_added", model=found.name, sha256=found.sha256, task=found.task)
    return found


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
        which = ", ".join(row.sha256[:12] for row in rows) or "none"
        raise ModelNotFound(f"{name!r} is the name or the hash's beginning of {which}", name=name)
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
    passed: ModelComparison | None = None,
) -> ModelActivation:
    """Put a model to work from the next photo on; ``None`` is the shipped one.

    Raises:
        ModelStays: it is at work already, or is for another task.
    """
    lock(session, task)
    if model is not None and model.task is not task:
        raise ModelStays(f"{model.name} is for {model.task}, not for {task}")
    now = active(session, task)
    if now is model:
        raise ModelStays(f"{_name(model)} is at work already for {task}")
    kind = ActivationKind.ACTIVATE if passed is None else ActivationKind.PROMOTE
    return _written(session, user, task, kind, model, reason, passed)


def roll_back(
    session: Session, user: User, task: VisionTask, reason: str | None = None
) -> ModelActivation:
    """Put the model to work that was before the present one; again: the one before that.

    Raises:
        ModelStays: the shipped model is at work, and none was before it.
    """
    lock(session, task)
    stack = _stack(history(session, task))
    if not stack:
        raise ModelStays(f"no model was at work for {task} before the present one")
    before = stack[-2] if len(stack) > 1 else None
    return _written(session, user, task, ActivationKind.ROLLBACK, before, reason, None)


def _stack(rows: Sequence[ModelActivation]) -> list[VisionModel | None]:
    """What was put to work and not rolled back, the present one last; at first nothing."""
    stack: list[VisionModel | None] = []
    for row in rows:
        if row.kind is ActivationKind.ROLLBACK:
            stack.pop()
        else:
            stack.append(row.model)
    return stack


def _written(
    session: Session,
    user: User,
    task: VisionTask,
    kind: ActivationKind,
    model: VisionModel | None,
    reason: str | None,
    passed: ModelComparison | None,
) -> ModelActivation:
    row = ModelActivation(
        task=task,
        kind=kind,
        vision_model_id=model.id if model else None,
        model_comparison_id=passed.id if passed else None,
        user_id=user.id,
        reason=reason,
    )
    session.add(row)
    session.flush()
    log.info("model_activated", task=task, model=_name(model), kind=kind, user=user.username)
    return row


def _kept(session: Session, user: User, candidate: Candidate) -> VisionModel:
    kind = candidate.kind
    body = package.packed(candidate.network)
    sha256 = blobs.accept(session, body, "application/octet-stream")
    jobs.enqueue(session, store_blob, sha256=sha256)
    made = VisionModel(
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
    session.add(made)
    return made


def _require_unused(session: Session, found: VisionModel, candidate: Candidate) -> None:
    used = select(ModelActivation.id).where(ModelActivation.vision_model_id == found.id).limit(1)
    if session.scalar(used) is not None:
        raise ModelRefused(
            candidate.network.name,
            f"was at work with the classes mapped as {found.class_mapping}; counts made with it "
            "keep that meaning",
        )


def _name(model: VisionModel | None) -> str:
    return model.name if model else SHIPPED
