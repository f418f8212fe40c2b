"""Outlines of pots that are off their rims are brought back by those that are not."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import Polygon as Shape

from demeter.vision.containers.ellipse_fit import fit_rims
from demeter.vision.geometry import Polygon

SIZE_WH = (4000, 3000)
# A camera that looks at the bench from one side: rims become smaller and flatter with distance.
VIEW = np.array([[900.0, -60.0, 1100.0], [40.0, 620.0, 700.0], [0.02, -0.11, 1.0]])


def seen(points: np.ndarray) -> Polygon:
    """Points [n, 2] of the bench's plane as a polygon of the photo."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ VIEW.T
    pixels = np.rint(homogeneous[:, :2] / homogeneous[:, 2:]).astype(int)
    return tuple((int(x), int(y)) for x, y in pixels)


def outline(x: float, y: float, corners: int = 60, radius: float = 0.1) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False) + np.pi / 4
    return np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])


def places() -> list[tuple[float, float]]:
    return [(0.25 * column, 0.3 * row) for row in range(4) for column in range(6)]


def bitten(points: np.ndarray) -> np.ndarray:
    """Without a third, as where a hose lies over the rim."""
    return points[len(points) // 3 :]


def bulging(points: np.ndarray) -> np.ndarray:
    """Pulled out on one side, as by a leaf that hangs over."""
    grown = points.copy()
    middle = points.mean(axis=0)
    grown[:15] = middle + (points[:15] - middle) * 1.8
    return grown


def overlap(polygon: Polygon, truth: Polygon) -> float:
    a, b = Shape(polygon).buffer(0), Shape(truth).buffer(0)
    return float(a.intersection(b).area / a.union(b).area)


@pytest.mark.parametrize("spoilt", [bitten, bulging])
def test_a_spoilt_outline_is_laid_on_its_rim(spoilt) -> None:
    truth = [seen(outline(x, y)) for x, y in places()]
    for k in (0, 9, 23):
        outlines = list(truth)
        outlines[k] = seen(spoilt(outline(*places()[k])))
        assert overlap(outlines[k], truth[k]) < 0.85
        answer = fit_rims(outlines, SIZE_WH)
        assert overlap(answer[k], truth[k]) > 0.93
        assert [a for i, a in enumerate(answer) if i != k] == [
            a for i, a in enumerate(truth) if i != k
        ]


def test_a_rim_that_the_photo_cuts_off_is_not_drawn_beyond_it() -> None:
    truth = [seen(outline(x, y)) for x, y in places()]
    beyond = np.clip(np.array(seen(bulging(outline(-1.2, 0.3)))), 0, SIZE_WH)
    outlines = [*truth, tuple((int(x), int(y)) for x, y in beyond)]
    answer = np.array(fit_rims(outlines, SIZE_WH)[-1])
    assert answer.min() >= 0
    assert (answer <= SIZE_WH).all()


def test_square_pots_stay_as_they_are() -> None:
    outlines = [seen(outline(x, y, corners=4)) for x, y in places()]
    outlines[5] = seen(bitten(outline(*places()[5], corners=12)))
    assert fit_rims(outlines, SIZE_WH) == tuple(outlines)


def test_few_pots_say_nothing_of_each_other() -> None:
    outlines = [seen(outline(x, y)) for x, y in places()[:6]]
    outlines[2] = seen(bulging(outline(*places()[2])))
    assert fit_rims(outlines, SIZE_WH) == tuple(outlines)


def test_pots_of_many_sizes_say_nothing_of_each_other() -> None:
    rng = np.random.default_rng(4)
    radii = np.exp(rng.uniform(np.log(0.03), np.log(0.12), len(places())))
    outlines = [seen(outline(x, y, radius=r)) for (x, y), r in zip(places(), radii, strict=True)]
    outlines[7] = seen(bulging(outline(*places()[7])))
    assert fit_rims(outlines, SIZE_WH) == tuple(outlines)


def test_no_pots_are_no_outlines() -> None:
    assert fit_rims([], SIZE_WH) == ()
