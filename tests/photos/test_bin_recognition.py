"""Containers recognised as bins: by their place, or by a registration that is a little off."""

from __future__ import annotations

import numpy as np

from demeter.photos.bin_recognition import (
    Outline,
    in_same_view,
    normalise_homography,
    outline,
    recognise,
    through_homographies,
)
from demeter.vision.values import ContainerType

SIDE, SIZE = 1000, 40
POT, BOX = ContainerType.POT, ContainerType.BOX


def pots(
    offset: tuple[float, float] = (0, 0), grown: float = 1.0, kind: ContainerType = POT
) -> list[Outline]:
    """A grid of 5 by 5 pots, 60 px apart, moved and grown about the photo's middle."""
    found = []
    for n in range(25):
        x, y = 200 + 60 * (n % 5), 300 + 60 * (n // 5)
        corners = np.array([(x, y), (x + SIZE, y), (x + SIZE, y + SIZE), (x, y + SIZE)], float)
        moved = (corners - 500) * grown + 500 + np.array(offset)
        found.append(outline(kind, 1, moved.tolist(), SIDE, SIDE))
    return found


def shifted(x: float, y: float) -> dict[int, np.ndarray]:
    matrix = ((1, 0, x), (0, 1, y), (0, 0, 1))
    return {1: normalise_homography(matrix, (SIDE, SIDE), (SIDE, SIDE))}


SAME = {n: n for n in range(25)}


def test_where_the_camera_stood_still_each_is_itself() -> None:
    assert recognise(pots(), [in_same_view(pot) for pot in pots()], 0.5) == SAME


def test_without_a_registration_a_move_by_one_pot_is_not_seen_through() -> None:
    matches = recognise(pots((60, 0)), [in_same_view(pot) for pot in pots()], 0.5)
    assert matches != SAME


def test_a_registration_takes_outlines_along_as_the_camera_moved() -> None:
    known = [through_homographies(pot, shifted(60, 20)) for pot in pots()]
    assert recognise(pots((60, 20)), known, 0.5) == SAME


def test_a_registration_off_by_part_of_a_pot_is_settled_by_the_pots() -> None:
    known = [through_homographies(pot, shifted(60, 20)) for pot in pots()]
    seen = pots((60, 42), grown=1.02)
    assert recognise(seen, known, 0.5) == SAME


def test_a_few_neighbours_alone_correct_nothing() -> None:
    known = [through_homographies(pot, shifted(60, 20)) for pot in pots()[:3]]
    assert recognise(pots((60, 45))[:3], known, 0.5) == {}


def test_containers_of_another_kind_or_view_are_never_the_same() -> None:
    known = [through_homographies(one, shifted(0, 0)) for one in pots(kind=BOX)]
    assert recognise(pots(), known, 0.5) == {}
    other = [through_homographies(pot, {2: shifted(0, 0)[1]}) for pot in pots()]
    assert recognise(pots(), other, 0.5) == {}


def test_what_the_other_photo_did_not_show_decides_nothing() -> None:
    """A bed cut by the old photo's border is compared on what both photos show of it."""
    old = outline(BOX, 1, [(600, 0), (1000, 0), (1000, 1000), (600, 1000)], SIDE, SIDE)
    new = outline(BOX, 1, [(200, 0), (900, 0), (900, 1000), (200, 1000)], SIDE, SIDE)
    assert recognise([new], [through_homographies(old, shifted(-400, 0))], 0.5) == {0: 0}
    assert recognise([new], [in_same_view(old)], 0.5) == {}


def test_nothing_seen_and_nothing_known_are_no_pairs() -> None:
    assert recognise([], [in_same_view(pot) for pot in pots()], 0.5) == {}
    assert recognise(pots(), [], 0.5) == {}
