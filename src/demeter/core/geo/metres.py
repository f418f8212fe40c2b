"""Lengths and areas on the ground of shapes in degrees, near to each other.

A nursery is small: the ellipsoid is taken as flat around its middle. Against PostGIS's geography
areas of beds differ by less than one in ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

AXIS_M = 6_378_137.0  # WGS 84
ECCENTRICITY_2 = 0.00669437999014


class GroundPlane:
    """Shapes in degrees as shapes in metres, around one latitude."""

    def __init__(self, latitude: float) -> None:
        sine = np.sin(np.radians(latitude))
        bent = 1 - ECCENTRICITY_2 * sine * sine
        self._across = np.radians(1) * AXIS_M / np.sqrt(bent) * np.cos(np.radians(latitude))
        self._along = np.radians(1) * AXIS_M * (1 - ECCENTRICITY_2) / bent**1.5

    @classmethod
    def around(cls, shapes: Sequence[Any]) -> GroundPlane:
        """The plane of the first shape; of none, of the equator."""
        return cls(float(shapes[0].centroid.y) if shapes else 0.0)

    def flatten(self, shape: Any) -> Any:
        """A shape in degrees, in metres."""
        import shapely  # noqa: PLC0415  most commands know no shapes

        return shapely.transform(shape, lambda xy: xy * (self._across, self._along))
