"""The categories of every COCO file that Demeter writes: plants, empty places, containers."""

from __future__ import annotations

from demeter.vision.values import ContainerType

PLANT, EMPTY = 1, 2
CONTAINERS = {kind: 3 + k for k, kind in enumerate(ContainerType)}
CATEGORIES = [
    {"id": PLANT, "name": "plant"},
    {"id": EMPTY, "name": "empty_container"},
    *({"id": n, "name": kind.value} for kind, n in CONTAINERS.items()),
]
