"""What Demeter knows about a photo before counting it."""

from __future__ import annotations

from dataclasses import dataclass

from demeter.vision.values import ContainerType, CountUnit


@dataclass(frozen=True, slots=True)
class DensityPrior:
    """How densely plants stand in one type of container (table ``density_parameters``)."""

    container_type: ContainerType
    avg_area_per_plant_cm2: float | None = None
    plants_per_m2: float | None = None
    overlap_adjustment_factor: float = 0.85
    avg_diameter_cm: float | None = None

    @property
    def area_per_plant_cm2(self) -> float | None:
        """Area that one plant takes, from whichever of the two parameters is there."""
        if self.avg_area_per_plant_cm2:
            return self.avg_area_per_plant_cm2
        return 10_000 / self.plants_per_m2 if self.plants_per_m2 else None


@dataclass(frozen=True, slots=True)
class ContainerSize:
    """Length and width of one type of container, in centimetres."""

    container_type: ContainerType
    length_cm: float
    width_cm: float


@dataclass(frozen=True, slots=True)
class ContainerGrid:
    """Rows and columns of cells in one type of container; which way they lie is not said."""

    container_type: ContainerType
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Hints:
    """All of it optional; with nothing known, counting works from the pixels alone.

    ``framed_whole``: the photo shows the bed from edge to edge, so the frame is the
    container where none is found. ``count_unit``: what is to be counted; ``None`` is by the kind
    of the containers found: places in pots, plugs and seedling trays, else plants.
    """

    framed_whole: bool = False
    packaging_diameter_cm: float | None = None
    density: tuple[DensityPrior, ...] = ()
    container_size_cm: tuple[ContainerSize, ...] = ()
    count_unit: CountUnit | None = CountUnit.PLANTS
    container_grids: tuple[ContainerGrid, ...] = ()

    def prior_of(self, container_type: ContainerType) -> DensityPrior | None:
        """The density prior of a type of container, if there is one."""
        return next((d for d in self.density if d.container_type is container_type), None)

    def size_of(self, container_type: ContainerType) -> ContainerSize | None:
        """The size of a type of container, if it is known."""
        return next((s for s in self.container_size_cm if s.container_type is container_type), None)

    def grid_of(self, container_type: ContainerType) -> ContainerGrid | None:
        """The grid of a type of container, if it is known."""
        return next((g for g in self.container_grids if g.container_type is container_type), None)
