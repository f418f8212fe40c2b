"""How close plants stand, learnt from containers that a person has reviewed.

A container whose bin is of a type with a length and a width says how many pixels a
centimetre has, and with that how wide a plant is, how much of its circle is foliage, and how
many stand on a square metre. And wherever something was estimated, the person's number says
how much plants of a clump really hide of each other: the estimate divides by that factor, so
the right one is the one used, times the estimated over the true number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.catalog.models import DensityParameter
from demeter.core import logs
from demeter.learning.reviewed_containers import (
    ContainerKind,
    ReviewedContainer,
    reviewed_containers,
)

log = logs.get(__name__)

FEWEST = 5
FEWEST_ESTIMATED = 30  # plants; below it chance decides the factor
LEAST_OVERLAP, MOST_OVERLAP = 0.4, 1.0


@dataclass(frozen=True, slots=True)
class Density:
    """Figures pooled from the containers of one kind; ``None`` where there are too few."""

    containers: int
    plants: int
    plants_per_m2: float | None
    avg_area_per_plant_cm2: float | None
    avg_diameter_cm: float | None
    overlap_adjustment_factor: float | None

    @property
    def has_figures(self) -> bool:
        """Whether any figure could be learnt."""
        return self.plants_per_m2 is not None or self.overlap_adjustment_factor is not None


@dataclass(frozen=True, slots=True)
class DensityFinding:
    """A kind of container with its density, and what became of it."""

    kind: ContainerKind
    density: Density
    outcome: str

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self.kind) | asdict(self.density) | {"outcome": self.outcome}


def density_of(rows: Sequence[ReviewedContainer]) -> Density:
    """Pool the containers of one kind."""
    sized_rows = [r for r in rows if r.area_cm2 is not None and r.plants]
    area = sum(r.area_cm2 or 0.0 for r in sized_rows)
    widths = [r.diameter_cm for r in sized_rows if r.diameter_cm]
    shares = [r.foliage_share for r in sized_rows if r.foliage_share]
    width = median(widths) if len(widths) >= FEWEST else None
    plant_area_cm2 = math.pi / 4 * width**2 * median(shares) if width and shares else None
    return Density(
        containers=len(rows),
        plants=sum(r.plants for r in rows),
        plants_per_m2=_two_decimals(sum(r.plants for r in sized_rows) / area * 10_000)
        if len(sized_rows) >= FEWEST
        else None,
        avg_area_per_plant_cm2=_two_decimals(plant_area_cm2),
        avg_diameter_cm=_two_decimals(width),
        overlap_adjustment_factor=_overlap_factor(rows),
    )


def learn_densities(session: Session, *, write: bool) -> list[DensityFinding]:
    """Learn from all reviewed containers, by kind; ``write`` puts it into `density_parameters`.

    Rows that a person entered are never overwritten.
    """
    groups: dict[ContainerKind, list[ReviewedContainer]] = defaultdict(list)
    for row in reviewed_containers(session):
        groups[row.kind].append(row)
    findings = []
    for kind, rows in sorted(groups.items(), key=lambda g: asdict(g[0]).__repr__()):
        density = density_of(rows)
        findings.append(
            DensityFinding(kind, density, _outcome(session, kind, density, write=write))
        )
    return findings


def _outcome(session: Session, kind: ContainerKind, density: Density, *, write: bool) -> str:
    if density.containers < FEWEST:
        return f"too few: {FEWEST} reviewed containers are needed"
    if not density.has_figures:
        return "nothing: the bin's type has no length and width, and nothing was estimated"
    row = session.scalar(
        select(DensityParameter).where(
            DensityParameter.storage_bin_type_id == kind.bin_type_id,
            DensityParameter.product_id == kind.product_id,
            DensityParameter.packaging_catalog_id.is_not_distinct_from(kind.packaging_catalog_id),
        )
    )
    if row is not None and row.learnt_from is None:
        return "kept as a person entered it"
    if not write:
        return "would be written"
    if row is None:
        row = DensityParameter(
            storage_bin_type_id=kind.bin_type_id,
            product_id=kind.product_id,
            packaging_catalog_id=kind.packaging_catalog_id,
        )
        session.add(row)
    _fill_row(row, density)
    session.flush()
    log.info("density_learnt", bin_type=kind.bin_type, product=kind.product)
    return "written"


def _fill_row(row: DensityParameter, density: Density) -> None:
    """Set the figures that could be learnt; the others keep their earlier values."""
    names = ("plants_per_m2", "avg_area_per_plant_cm2", "avg_diameter_cm")
    for name in (*names, "overlap_adjustment_factor"):
        value = getattr(density, name)
        if value is not None:
            setattr(row, name, Decimal(str(value)))
    row.learnt_from, row.learnt_at = density.containers, datetime.now(UTC)


def _overlap_factor(rows: Iterable[ReviewedContainer]) -> float | None:
    """Estimates over truth, each at the factor it was made with."""
    estimated_rows = [r for r in rows if r.estimated]
    truth = sum(r.beyond_detected for r in estimated_rows)
    if len(estimated_rows) < FEWEST or truth < FEWEST_ESTIMATED:
        return None
    raw = sum(r.estimated * r.overlap_used for r in estimated_rows)
    return round(min(MOST_OVERLAP, max(LEAST_OVERLAP, raw / truth)), 3)


def _two_decimals(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
