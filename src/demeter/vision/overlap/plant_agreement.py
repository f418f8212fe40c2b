"""Whether the plants of two photos stand where a registration says."""

from __future__ import annotations

import numpy as np

from demeter.core.notices import Notice
from demeter.vision.overlap.homography import Matrix, inside, inverse
from demeter.vision.overlap.seam import map_boxes, same_plants
from demeter.vision.values import PhotoCount

FEWEST_ASKED, AGREED = 5, 0.5  # plants both should show; the share that both have detected


def agreement(a: PhotoCount, b: PhotoCount, matrix: Matrix) -> tuple[int, float]:
    """How many plants both photos should show, and the share that both have detected.

    The lesser share of the two directions; plants nearer to a border than half their size
    are not asked for.
    """
    pairs = same_plants(a, b, matrix)
    back = inverse(matrix)
    expected = [_expected_plants(a, b, matrix), _expected_plants(b, a, back)]
    hits = [len({k for k, _ in pairs} & expected[0]), len({m for _, m in pairs} & expected[1])]
    fewest = min(len(s) for s in expected)
    if not fewest:
        return 0, 1.0
    return fewest, min(h / len(s) for h, s in zip(hits, expected, strict=True))


def disagreement(a: PhotoCount, b: PhotoCount, matrix: Matrix) -> Notice | None:
    """How plants speak against a registration; ``None`` where enough agree or few are asked."""
    expected, share = agreement(a, b, matrix)
    if expected >= FEWEST_ASKED and share < AGREED:
        return Notice("plants_disagree", {"share": round(share, 4), "asked": expected})
    return None


def _expected_plants(a: PhotoCount, b: PhotoCount, matrix: Matrix) -> set[int]:
    rows = list(a.detections)
    at, size = map_boxes(rows, matrix)
    low, high = at - size[:, None] / 2, at + size[:, None] / 2
    size_b = b.width_px, b.height_px
    in_view = inside(low, size_b) & inside(high, size_b)
    return {k for k in np.flatnonzero(in_view).tolist() if not rows[k].is_empty_container}
