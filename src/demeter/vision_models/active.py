"""The models at work, loaded: once a process, and anew when others are put to work."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from demeter.core import blobs, logs
from demeter.core.settings import settings
from demeter.vision.containers.segmenter import Segmenter, load_container_segmenter
from demeter.vision.errors import ModelRefused
from demeter.vision.interval.interval import ErrorModel, shipped_error_model
from demeter.vision.networks.devices import core_count
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.openvino_runner import Precision, sha256_of
from demeter.vision.networks.shipped import PLANT_PX, TILE_SIDES_PX, shipped_judge, weights_folder
from demeter.vision.plants.detector import Detector, load_plant_detector
from demeter.vision_models import inspect_file, package, registry
from demeter.vision_models.models import FittedErrorModel, VisionModel, VisionTask

log = logs.get(__name__)

Network = Detector | Segmenter


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which models a count is made with; equal choices are the same loaded models.

    A hash that is ``None`` stands for the shipped model.
    """

    detect_sha256: str | None
    segment_sha256: str | None
    error_model_id: int | None
    precision: str
    threads: int


_loaded: dict[ModelChoice, ModelSet] = {}


def models_at_work(bound_to: Engine) -> ModelSet:
    """The models at work now; compiling takes a second, when they have changed.

    Raises:
        ModelRefused: a file is damaged or cannot run here.
        BlobMissing, ObjectStoreUnavailable: a model's bytes cannot be had.
    """
    with Session(bound_to) as session:
        choice, rows, errors = choice_at_work(session)
    if choice not in _loaded:
        model_set = load_models(bound_to, rows[VisionTask.DETECT], rows[VisionTask.SEGMENT], errors)
        _loaded.clear()  # the models before are not needed any more
        _loaded[choice] = model_set
        log.info(
            "models_loaded",
            detect=model_set.detector.identity,
            segment=model_set.segmenter.identity,
        )
    return _loaded[choice]


def choice_at_work(
    session: Session,
) -> tuple[ModelChoice, dict[VisionTask, VisionModel | None], ErrorModel]:
    """What is at work: the choice, the models' rows, and the error model of the pair."""
    rows = {task: registry.active(session, task) for task in VisionTask}
    hashes = {task: row.sha256 if row else None for task, row in rows.items()}
    fitted_row = error_model(session, rows[VisionTask.DETECT], rows[VisionTask.SEGMENT])
    used_row = fitted_row if fitted_row is not None and fitted_row.model is not None else None
    config = settings()
    choice = ModelChoice(
        hashes[VisionTask.DETECT],
        hashes[VisionTask.SEGMENT],
        used_row.id if used_row else None,
        config.precision,
        config.vision_threads or core_count(),
    )
    errors = ErrorModel.read(used_row.model or {}) if used_row else shipped_error_model()
    return choice, rows, errors


def error_model(
    session: Session, detect: VisionModel | None, segment: VisionModel | None
) -> FittedErrorModel | None:
    """What was last fitted for a pair of models, if anything was."""
    detect_sha256, segment_sha256 = identities(detect, segment)
    return session.scalar(
        select(FittedErrorModel)
        .where(
            FittedErrorModel.detect_sha256 == detect_sha256,
            FittedErrorModel.segment_sha256 == segment_sha256,
        )
        .order_by(FittedErrorModel.id.desc())
        .limit(1)
    )


def identities(detect: VisionModel | None, segment: VisionModel | None) -> tuple[str, str]:
    """The hashes of a pair of models, the shipped ones among them."""
    folder = weights_folder()
    return (
        detect.sha256 if detect else sha256_of(folder / "plants.onnx"),
        segment.sha256 if segment else sha256_of(folder / "containers.onnx"),
    )


def load_models(
    bound_to: Engine,
    detect: VisionModel | None,
    segment: VisionModel | None,
    errors: ErrorModel | None = None,
) -> ModelSet:
    """These models, compiled; ``None`` is the shipped one."""
    config = settings()
    precision = Precision(config.precision)
    threads = config.vision_threads or core_count()
    folder = weights_folder()
    detector: Detector = (
        _load_network(bound_to, detect, precision, threads)  # type: ignore[assignment]
        if detect
        else load_plant_detector(
            folder / "plants.onnx", precision, threads, TILE_SIDES_PX, PLANT_PX
        )
    )
    segmenter: Segmenter = (
        _load_network(bound_to, segment, precision, threads)  # type: ignore[assignment]
        if segment
        else load_container_segmenter(folder / "containers.onnx", precision, threads)
    )
    judge = shipped_judge(precision, threads)
    return ModelSet(detector, segmenter, errors or shipped_error_model(), judge)


def _load_network(
    bound_to: Engine, row: VisionModel, precision: Precision, threads: int
) -> Network:
    path = files_of(bound_to, row)
    kind = inspect_file.ModelKind(
        row.sha256, row.task, row.family, tuple(row.classes), row.input_side_px
    )
    return inspect_file.load_network(path, kind, row.class_mapping, precision, threads)


def files_of(bound_to: Engine, row: VisionModel) -> Path:
    """The model's files on this machine, written from its bytes if they are not there.

    Raises:
        ModelRefused: what was kept is not what was added.
    """
    folder = settings().home / "models" / row.sha256
    name = f"{row.name}.xml" if row.format == package.OPENVINO else f"{row.name}.onnx"
    path = folder / name
    if not path.is_file() or sha256_of(path) != row.sha256:
        _write_files(blobs.read(bound_to, row.blob_sha256), row, folder)
    if sha256_of(path) != row.sha256:
        raise ModelRefused(name, "its bytes have changed in storage")
    return path


def _write_files(body: bytes, row: VisionModel, folder: Path) -> None:
    """Each file whole or not at all: other processes may be at it, too. The network comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        package.unpack(body, row.format, row.name, Path(partial))
        for part in sorted(Path(partial).iterdir()):
            part.replace(folder / part.name)
