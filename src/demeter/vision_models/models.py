"""People's own models, their comparisons and activations, and fitted error models."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demeter.accounts.models import User
from demeter.core.db import Base, ChangedRow, CreatedRow, pg_enum


class VisionTask(StrEnum):
    """What a model is for: plants, or containers."""

    DETECT = "detect"
    SEGMENT = "segment"


class ActivationKind(StrEnum):
    """How a model came to work."""

    ACTIVATE = "activate"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class VisionModel(ChangedRow, Base):
    """A person's own model; its bytes are found by ``blob_sha256``."""

    __tablename__ = "vision_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    blob_sha256: Mapped[str]
    name: Mapped[str]
    task: Mapped[VisionTask] = mapped_column(pg_enum(VisionTask, "vision_task"))
    family: Mapped[str]
    format: Mapped[str]
    classes: Mapped[list[str]] = mapped_column(JSONB)
    class_mapping: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    input_side_px: Mapped[int]
    size_bytes: Mapped[int]
    licence: Mapped[str | None]
    metrics: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    added_by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    added_by: Mapped[User] = relationship()


class ModelComparison(CreatedRow, Base):
    """Two models on the same marked photos, and whether the second passed the gate."""

    __tablename__ = "model_comparisons"

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[VisionTask] = mapped_column(pg_enum(VisionTask, "vision_task"))
    incumbent_sha256: Mapped[str | None]
    candidate_sha256: Mapped[str | None]
    dataset: Mapped[str]
    photos: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    passed: Mapped[bool]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class ModelActivation(CreatedRow, Base):
    """Who put which model to work; ``vision_model_id`` is null for the shipped one."""

    __tablename__ = "vision_model_activations"

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[VisionTask] = mapped_column(pg_enum(VisionTask, "vision_task"))
    kind: Mapped[ActivationKind] = mapped_column(pg_enum(ActivationKind, "activation_kind"))
    vision_model_id: Mapped[int | None] = mapped_column(ForeignKey("vision_models.id"))
    model_comparison_id: Mapped[int | None] = mapped_column(ForeignKey("model_comparisons.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]

    model: Mapped[VisionModel | None] = relationship()
    user: Mapped[User] = relationship()


class FittedErrorModel(CreatedRow, Base):
    """An error model fitted here for a pair of models; null: the shipped one again."""

    __tablename__ = "error_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    detect_sha256: Mapped[str]
    segment_sha256: Mapped[str]
    model: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
