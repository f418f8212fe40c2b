"""Regions that count neither way: what lies in them, and figures without it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demeter.vision.interval.interval import evidence_of
from demeter.vision.metrics.figures import PhotoFigures, figures_of
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.marks import MarkedContainer, MarkedPhoto, discs_of
from demeter.vision.metrics.observations import container_observations, photo_observation
from demeter.vision.metrics.page import write_page
from demeter.vision.values import ContainerType, PhotoCount
from support.nursery import photo_count, square

BELT = ((0.0, 0.0), (1000.0, 0.0), (1000.0, 40.0), (0.0, 40.0))
CORNER = ((0.0, 0.0), (100.0, 0.0), (0.0, 100.0))
BOWTIE = ((0.0, 0.0), (100.0, 100.0), (100.0, 0.0), (0.0, 100.0))
LINE = ((0.0, 0.0), (100.0, 0.0))


def discs(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 3)


@pytest.mark.parametrize(
    ("ignored", "holds"),
    [
        (IgnoredRegions(), [False, False, False, False]),
        (IgnoredRegions(discs((500, 20, 10))), [True, False, False, False]),
        (IgnoredRegions(polygons_px=(BELT,)), [True, False, True, False]),  # no disc of 500 px
        (IgnoredRegions(polygons_px=(CORNER,)), [False, False, True, True]),  # its edge is in it
        (IgnoredRegions(polygons_px=(LINE,)), [False, False, False, False]),
        (IgnoredRegions(polygons_px=(BOWTIE,)), [False, False, True, True]),
        (IgnoredRegions(discs((500, 200, 10)), (CORNER,)), [False, True, True, True]),
    ],
)
def test_points_lie_in_discs_and_polygons_exactly(
    ignored: IgnoredRegions, holds: list[bool]
) -> None:
    points = np.array([(500, 20), (500, 200), (5, 20), (50, 50)], float)
    assert ignored.holds(points).tolist() == holds
    assert ignored.holds(np.zeros((0, 2))).tolist() == []


@pytest.mark.parametrize(
    ("ignored", "share"),
    [
        (IgnoredRegions(), 0.0),
        (IgnoredRegions(polygons_px=(square(0, 0, 50),)), 0.25),
        (IgnoredRegions(polygons_px=(square(0, 0, 50), square(0, 0, 50))), 0.25),
        (IgnoredRegions(polygons_px=(square(-10, -10),)), 1.0),
        (IgnoredRegions(discs((50, 50, 30))), np.pi * 900 / 10_000),
        (IgnoredRegions(discs((500, 500, 30))), 0.0),
    ],
)
def test_the_share_of_outlines_is_that_of_their_area(ignored: IgnoredRegions, share: float) -> None:
    parts = (square(0, 0, 50), square(50, 0, 50), square(0, 50, 50), square(50, 50, 50))
    assert ignored.share_of(parts) == pytest.approx(share, abs=1e-3)
    assert ignored.share_of(()) == ignored.share_of((LINE,)) == 0.0


def counted(estimated: int | None = 10) -> PhotoCount:
    """Two containers; the first's residual is a square in its lower half."""
    photo = photo_count((4, estimated), (2, 6), width=6, empty=1)
    first, second = photo.estimations
    residual = (square(10, 110, 100),)
    return replace(
        photo, estimations=(replace(first, residual_polygons_px=residual, polygon_px=()), second)
    )


def judged(photo: PhotoCount, ignore: IgnoredRegions) -> PhotoFigures:
    """Every detection of the second container is marked; the first is marked with 17 plants."""
    boxes = [d.xyxy_px for d in photo.detections if d.container and not d.is_empty_container]
    containers = (MarkedContainer(ContainerType.SEGMENT, photo.containers[0].polygon_px, 17),)
    marked = MarkedPhoto(
        Path("bed.jpg"), (1000, 1000), discs_of(np.array(boxes)), ignore, containers=containers
    )
    return figures_of(marked, photo, 0.0)


def test_without_ignored_regions_all_that_is_counted_counts() -> None:
    figures = judged(counted(), IgnoredRegions())
    assert (figures.counted, figures.interval_90) == (22, (19, 25))
    observed = photo_observation(figures)
    assert observed is not None
    assert (observed.evidence.detected, observed.evidence.estimated, observed.truth) == (6, 16, 2)


@pytest.mark.parametrize(
    ("ignore", "counted_now", "interval"),
    [
        (IgnoredRegions(polygons_px=(square(10, 110, 100),)), 12, (9, 15)),  # the estimate alone
        (IgnoredRegions(polygons_px=(square(10, 110, 40),)), 20, (17, 23)),  # 0.16 of it
        (IgnoredRegions(polygons_px=(square(10, 10, 100),)), 18, (15, 21)),  # the detections alone
        (IgnoredRegions(polygons_px=(square(10, 10),)), 8, (5, 11)),
        (IgnoredRegions(discs((60, 160, 80))), 12, (9, 15)),
        (IgnoredRegions(polygons_px=(square(0, 0, 1000),)), 2, (0, 5)),  # hits count anywhere
    ],
)
def test_what_is_estimated_in_ignored_regions_is_not_counted(
    ignore: IgnoredRegions, counted_now: int, interval: tuple[int, int]
) -> None:
    figures = judged(counted(), ignore)
    assert (figures.counted, figures.interval_90) == (counted_now, interval)


def test_an_unknown_estimate_stays_unknown_in_ignored_regions() -> None:
    figures = judged(counted(None), IgnoredRegions(polygons_px=(square(10, 10),)))
    assert (figures.counted, figures.interval_90, photo_observation(figures)) == (None, None, None)


def test_evidence_of_a_photo_is_of_what_its_marks_are_of() -> None:
    figures = judged(counted(), IgnoredRegions(polygons_px=(square(10, 10),)))
    observed = photo_observation(figures)
    assert observed is not None
    assert observed.evidence == evidence_of(np.full(2, 0.8, np.float32), 6)
    (container,) = container_observations(figures)
    assert container.evidence == evidence_of(np.full(4, 0.8, np.float32), 10)
    assert container.truth == 17


def annotation(category: int, box: list[float], **more: object) -> dict[str, object]:
    return {"image_id": 1, "category_id": category, "bbox": box, **more}


@pytest.fixture
def crowded(tmp_path: Path) -> MarkedPhoto:
    """A plant, an empty place, a crowd of each; the plants' crowd is a long belt of two parts."""
    Image.fromarray(np.zeros((300, 1000, 3), np.uint8)).save(tmp_path / "bed.png")
    belt = [[0, 0, 600, 0, 600, 40, 0, 40], [700, 0, 1000.0, 0, 1000, 40, 700, 40]]
    document = {
        "images": [{"id": 1, "file_name": "bed.png", "width": 1000, "height": 300}],
        "categories": [{"id": 1, "name": "plant"}, {"id": 2, "name": "empty"}],
        "annotations": [
            annotation(1, [480, 180, 40, 40], iscrowd=0),
            annotation(1, [0, 0, 1000, 40], segmentation=belt, iscrowd=1),
            annotation(1, [0, 280, 20, 20], segmentation={"counts": [1]}, iscrowd=1),
            annotation(2, [600, 180, 40, 40]),
            annotation(2, [700, 180, 200, 40], iscrowd=1),
        ],
    }
    (tmp_path / "truth.json").write_text(json.dumps(document))
    (marked,) = read_marks(tmp_path)
    return marked


def test_a_crowd_is_ignored_where_it_is_and_not_around_it(crowded: MarkedPhoto) -> None:
    points = [(500, 20), (650, 20), (800, 20), (500, 45), (500, 200), (10, 290)]
    inside = crowded.ignore.holds(np.array(points, float))
    assert inside.tolist() == [True, False, True, False, False, True]


def test_crowds_are_no_marks(crowded: MarkedPhoto) -> None:
    assert crowded.plants.tolist() == [[500, 200, 20]]
    assert crowded.empties is not None
    assert crowded.empties.tolist() == [[620, 200, 20]]


def test_the_page_shows_ignored_regions(crowded: MarkedPhoto, tmp_path: Path) -> None:
    crowded = replace(crowded, ignore=replace(crowded.ignore, discs=discs((300, 150, 30))))
    figures = figures_of(crowded, photo_count(), 0.0)
    write_page([figures], tmp_path / "page")
    with Image.open(tmp_path / "page" / "0001.webp") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    on_edges = [pixels[40, 300], pixels[150, 330]]
    assert np.abs(np.array(on_edges) - 150).max() < 40
    assert pixels[100, 800].max() < 40
