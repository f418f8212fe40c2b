"""Estimates and intervals where an occupied place counts one: never more than there are places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from demeter.vision.estimate.bands import whole_parts
from demeter.vision.plants.one_a_place import PlantPlaces
from demeter.vision.values import Band, EstimationMethod, ResidualEstimate


def limit_to_places(estimation: ResidualEstimate, places: PlantPlaces) -> ResidualEstimate:
    """The estimate of a container as places that foliage occupies beyond those detected.

    At most as many as hold nothing that was detected. Where none is left that is 0, also of an
    estimate that was unknown. ``parameters`` keep what the residual alone said.
    """
    if places.number is None:
        return estimation
    unknown = estimation.estimated is None and places.free > 0
    estimated = None if unknown else min(estimation.estimated or 0, places.free)
    return replace(
        estimation,
        method=estimation.method if places.grid is None else EstimationMethod.GRID,
        estimated=estimated,
        unknown_reason=estimation.unknown_reason if unknown else None,
        confidence=estimation.confidence if places.free else 1.0,
        bands=estimation.bands
        if estimated is None
        else _limited_bands(estimation.bands, estimated),
        parameters=estimation.parameters | _parameters(estimation, places),
    )


def limit_interval(interval: tuple[int, int] | None, places: PlantPlaces) -> tuple[int, int] | None:
    """A container's interval, never above the number of its places."""
    if interval is None or places.number is None:
        return interval
    return min(interval[0], places.number), min(interval[1], places.number)


def limit_total(interval: tuple[int, int], parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """A photo's interval within the sums of its containers' bounds.

    Each count is inside its own interval, so their sum stays inside this one.
    """
    low, high = (sum(part[k] for part in parts) for k in (0, 1))
    return max(interval[0], low), min(interval[1], high)


def _limited_bands(bands: tuple[Band, ...], estimated: int) -> tuple[Band, ...]:
    """Strips whose plants sum to the estimate, in proportion to what they held before."""
    before = sum(band.estimated for band in bands)
    if before <= estimated:
        return bands
    shares = whole_parts([band.estimated * estimated / before for band in bands])
    return tuple(replace(b, estimated=n) for b, n in zip(bands, shares, strict=True))


def _parameters(estimation: ResidualEstimate, places: PlantPlaces) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "places": places.number,
        "free_places": places.free,
        "residual_estimated": estimation.estimated,
    }
    if places.grid is not None:
        parameters |= {
            "rows": places.grid.rows,
            "columns": places.grid.columns,
            "agreement": places.grid.agreement,
        }
    return parameters
