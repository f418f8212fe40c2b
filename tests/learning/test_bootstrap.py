"""Paired differences of two models, with intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demeter.learning.bootstrap import FEWEST_PHOTOS, compare_figures
from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.matching import MarkMatches
from support.nursery import photo_count


def figure(number: int, hits: int, alarms: int, marks: int = 10, scene: str = "") -> PhotoFigures:
    """A photo with ``marks`` of which ``hits`` were found, and ``alarms`` more."""
    mark_of = np.array([*range(hits), *[-1] * alarms], np.intp)
    marked = MarkedPhoto(
        Path(f"{number}.jpg"), (100, 100), np.zeros((marks, 3)), IgnoredRegions(), scene=scene
    )
    return PhotoFigures(
        marked=marked,
        photo=photo_count((hits + alarms, 0)),
        plants=MarkMatches(mark_of, marks),
        empties=None,
        counted=hits + alarms,
        interval_90=None,
        confidence=np.ones(hits + alarms),
        hit=mark_of >= 0,
        containers=(),
        seconds=0.0,
    )


def photos(hits: int, number: int = 20, seed: int = 0, scene: str = "") -> list[PhotoFigures]:
    jitter = np.random.default_rng(seed).integers(-1, 2, number)
    return [figure(n, int(hits + j), 0, scene=scene) for n, j in enumerate(jitter)]


def test_a_model_against_itself_differs_by_nothing_and_passes() -> None:
    comparison = compare_figures(photos(8), photos(8))
    assert (comparison.f1.value, comparison.f1.low, comparison.f1.high) == (0, 0, 0)
    assert comparison.mape.value == 0
    assert comparison.passes(0.0)


def test_a_clearly_better_model_passes_and_the_other_way_round_does_not() -> None:
    better = compare_figures(photos(6), photos(9, seed=1))
    assert 0 < better.f1.low < better.f1.value < better.f1.high
    assert better.mape.high < 0
    assert better.passes(0.0)
    assert not compare_figures(photos(9, seed=1), photos(6)).passes(0.01)


def test_more_found_but_worse_counts_do_not_pass() -> None:
    incumbent = [figure(n, 8, 2) for n in range(20)]
    candidate = [figure(n, 9, 4) for n in range(20)]
    comparison = compare_figures(incumbent, candidate)
    assert (comparison.mape.value, comparison.passes(0.01)) == (pytest.approx(0.3), False)


def test_one_that_is_surely_better_and_one_that_cannot_be_told_pass_if_it_is_no_worse() -> None:
    """Six photos: more plants found in each, and counts that scatter about the same error."""
    incumbent = [figure(n, 6, alarms) for n, alarms in enumerate((4, 0, 4, 0, 4, 0))]
    candidate = [figure(n, 8, alarms) for n, alarms in enumerate((0, 2, 0, 0, 0, 0))]
    comparison = compare_figures(incumbent, candidate)
    assert comparison.f1.low > 0
    assert comparison.mape.value <= 0 < comparison.mape.high - 0.01
    assert comparison.passes(0.01)
    worse = [figure(n, 8, alarms) for n, alarms in enumerate((0, 9, 0, 6, 0, 0))]
    doubtful = compare_figures(incumbent, worse)
    assert doubtful.f1.value > 0
    assert doubtful.mape.value > 0
    assert not doubtful.passes(0.01)


def test_a_difference_within_chance_has_an_interval_around_zero() -> None:
    comparison = compare_figures(photos(8, seed=1), photos(8, seed=2))
    assert comparison.f1.low < 0 < comparison.f1.high
    assert not comparison.passes(0.0)


@pytest.mark.parametrize("number", [0, 1, FEWEST_PHOTOS - 1])
def test_too_few_photos_never_pass(number: int) -> None:
    assert not compare_figures(photos(5, number), photos(10, number)).passes(1.0)


def test_photos_without_plants_say_nothing() -> None:
    """On bare soil a blind model is as good as any: its plants are asked for."""
    bare = [figure(n, 0, 0, marks=0) for n in range(20)]
    few = [figure(n, 8, 0) for n in range(FEWEST_PHOTOS - 1)]
    assert not compare_figures(bare, bare).passes(1.0)
    assert not compare_figures(bare + few, bare + few).passes(1.0)
    enough = bare + few + [figure(9, 8, 0)]
    assert compare_figures(enough, enough).passes(0.0)


def test_where_there_are_enough_places_they_are_drawn_whole() -> None:
    def beds(hits: int) -> list[PhotoFigures]:
        rows = []
        for place in range(10):
            found = hits if place % 2 else 8
            rows += [figure(n, found, 0, scene=f"BED-{place}") for n in range(6)]
        return rows

    by_place = compare_figures(beds(8), beds(6))
    alone = compare_figures(
        [figure(n, 8, 0) for n in range(60)],
        [figure(n, 6 if n // 6 % 2 else 8, 0) for n in range(60)],
    )
    assert (by_place.drawn, by_place.places, alone.drawn) == ("places", 10, "photos")
    assert by_place.f1.value == alone.f1.value
    width, narrow = (d.f1.high - d.f1.low for d in (by_place, alone))
    assert width > 1.5 * narrow


def test_the_same_figures_give_the_same_interval() -> None:
    assert compare_figures(photos(6), photos(9, seed=1)) == compare_figures(
        photos(6), photos(9, seed=1)
    )
