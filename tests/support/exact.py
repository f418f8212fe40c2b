"""Rendered scenes as a perfect vision would count them: from their truth, not from pixels."""

from __future__ import annotations

from shapely import Polygon, box, make_valid

from demeter.vision.values import Container, ContainerTally, DetectedBox, PhotoCount
from demeter_training.scenes.values import Scene, ScenePlant

LEAST_VISIBLE = 0.35  # of a plant, below which nobody would mark it


def visible_plants(scene: Scene) -> list[tuple[ScenePlant, int]]:
    """The plants that are seen in containers that are seen, each with its number in the world."""
    containers = _containers(scene)
    return [
        (p, p.world)
        for p in scene.plants
        if p.container in containers and p.visible >= LEAST_VISIBLE
    ]


def exact_count(scene: Scene) -> PhotoCount:
    """Containers cut at the frame, plants in them, nothing estimated."""
    height, width = scene.rgb.shape[:2]
    containers = _containers(scene)
    number = {k: n for n, k in enumerate(containers)}
    detections = tuple(
        DetectedBox(
            tuple(float(v) for v in p.xyxy_px),
            0.9,
            is_empty_container=False,
            container=number[p.container],
        )
        for p, _ in visible_plants(scene)
    )
    counts = tuple(
        ContainerTally(n, sum(d.container == n for d in detections), 0, 0, 0.0, None)
        for n in number.values()
    )
    return PhotoCount(
        width, height, tuple(containers.values()), detections, (), counts, None, {}, {}
    )


def _containers(scene: Scene) -> dict[int, Container]:
    """By index in the scene, those of which a part is in the frame."""
    height, width = scene.rgb.shape[:2]
    containers = {}
    for k, container in enumerate(scene.containers):
        shape = make_valid(Polygon(container.polygon_px)).intersection(box(0, 0, width, height))
        if shape.geom_type == "Polygon" and not shape.is_empty:
            outline = tuple((round(x), round(y)) for x, y in shape.exterior.coords[:-1])
            kind = container.container_type
            containers[k] = Container(kind.value, kind, outline, round(shape.area), 0.9)
    return containers
