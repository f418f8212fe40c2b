"""What in a count itself speaks against posting it unseen (SPEC §3.5 step 6)."""

from __future__ import annotations

from demeter.vision.values import PhotoCount

# Below this likelihood a photo may show no plants; from so many plants on, an interval wider than
# the count says nothing.
LEAST_LIKELIHOOD, FEWEST_FOR_WIDTH = 0.5, 10
UNKNOWN_RESIDUAL = 0.1


def may_show_no_plants(photo: PhotoCount) -> bool:
    """Whether a photo may show no plants at all; one that nothing judged is taken to."""
    return photo.plants_likelihood is not None and photo.plants_likelihood < LEAST_LIKELIHOOD


def says_nothing(plants: int, interval: tuple[int, int] | None) -> bool:
    """Whether the 90 % interval of a number of plants is wider than that number."""
    if interval is None or plants < FEWEST_FOR_WIDTH:
        return False
    return interval[1] - interval[0] > plants


def would_post(photo: PhotoCount) -> bool:
    """Whether a photo's count, of a bed of which nothing else is known, is posted unseen."""
    if not photo.containers or may_show_no_plants(photo):
        return False
    if any(c.estimated is None and c.residual_share > UNKNOWN_RESIDUAL for c in photo.counts):
        return False
    return not says_nothing(photo.detected + (photo.estimated or 0), photo.interval_90)
