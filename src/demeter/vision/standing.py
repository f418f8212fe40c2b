"""Whether containers stand where a registration lays them, and nowhere else.

A bench of pots repeats itself, and so do its plants and its picture; but it ends. Moved by a
pot, a row of pots lies where the other photo shows none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from shapely import Polygon

from demeter.vision.warp import Matrix, Points, inside, inverse, mapped

# Of a container's size: moves this far apart are one, no move is shorter, none is longer. Moves
# by half a bench leave photos that share half of it, which matches tell better.
_SAME_MOVE, _ON_IT, _NEIGHBOURS = 0.25, 0.5, 2.5


@dataclass(frozen=True, slots=True)
class Stood:
    """Where the containers of a photo are, in its reduced picture.

    ``xy_px`` [n, 2] are their middles, ``size_px`` [n] the roots of their areas.
    """

    xy_px: Points
    size_px: NDArray[np.float64]


def stood(outlines: Sequence[Points], scale: float) -> Stood:
    """Containers of a photo, in the picture reduced to ``scale``, from their outlines."""
    shapes = [Polygon(outline).convex_hull for outline in outlines]
    middles = [(s.centroid.x, s.centroid.y) for s in shapes]
    areas = np.array([s.area for s in shapes], np.float64)
    return Stood(np.array(middles, np.float64).reshape(-1, 2) * scale, np.sqrt(areas) * scale)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many containers both photos should show, and the share that stand on one another.

    ``here`` as registered, ``elsewhere`` after the best move by a neighbour: twice the pairs
    against the containers that lie within the other photo, 0 to 1.
    """

    asked: int
    here: float
    elsewhere: float


def standing(
    matrix: Matrix,
    a: Stood,
    b: Stood,
    a_wh: tuple[int, int],
    b_wh: tuple[int, int],
) -> Standing:
    """Compare the containers of two reduced pictures where ``matrix`` lays a on b."""
    there, back = mapped(matrix, a.xy_px), inverse(matrix)
    whole = np.isfinite(there).all(axis=1)
    there, a_size = there[whole], a.size_px[whole]
    if not len(there) or not len(b.xy_px):
        return Standing(0, 0.0, 0.0)
    size = float(np.median(b.size_px))
    tree = KDTree(b.xy_px)

    def after(move: NDArray[np.float64]) -> tuple[int, float]:
        """How many are asked, and the share that stand, when a is moved further by this."""
        moved = there + move
        from_a = inside(moved - size / 2, b_wh) & inside(moved + size / 2, b_wh)
        before = mapped(back, b.xy_px - move)
        half = float(np.median(a_size)) / 2
        from_b = inside(before - half, a_wh) & inside(before + half, a_wh)
        apart, nearest = tree.query(moved)
        on_it = from_a & (apart < _ON_IT * b.size_px[nearest]) & from_b[nearest]
        pairs = len(set(nearest[on_it].tolist()))
        asked = int(from_a.sum() + from_b.sum())
        return asked, 2 * pairs / asked if asked else 0.0

    asked, here = after(np.zeros(2))
    shares = [share for n, share in map(after, _moves(there, b.xy_px, size)) if n >= asked / 2]
    return Standing(asked // 2, here, max(shares, default=0.0))


def _moves(there: Points, b_px: Points, size_px: float) -> NDArray[np.float64]:
    """The moves that lay some container of one photo on a neighbour in the other, each once."""
    moves = (b_px[None] - there[:, None]).reshape(-1, 2)
    far = np.linalg.norm(moves, axis=1) / size_px
    moves = moves[(far > _ON_IT) & (far < _NEIGHBOURS)]
    _, first = np.unique(np.round(moves / (_SAME_MOVE * size_px)), axis=0, return_index=True)
    return moves[np.sort(first)]
