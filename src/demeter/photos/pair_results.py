"""How photos lie to each other, as it stands in the images' results; see `photos.overlap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

from demeter.photos.models import SessionImage

PAIRS, RETURNS, BEFORE = "overlaps", "returns", "before_overlaps"
REGISTERED, APART, UNSURE = "registered", "apart", "unsure"

Homography = tuple[tuple[float, ...], ...]


def unsettled(showing: Sequence[SessionImage]) -> list[str]:
    """Pairs of photos of which nobody can say yet whether they show the same plants."""
    told = []
    for one, other in combinations(showing, 2):
        rows = (one.result or {}).get(PAIRS, [])
        pair = next((r for r in rows if r["with"] == other.position), None)
        if pair is None or pair["state"] == UNSURE:
            why = f" ({pair['told']})" if pair else ""
            told.append(f"photos {one.position} and {other.position}{why}")
    return told


def returns_of(row: SessionImage) -> Mapping[UUID, Homography]:
    """By the image of an earlier session, the homography from its pixels to this one's."""
    rows: list[dict[str, Any]] = (row.result or {}).get(RETURNS, [])
    return {
        UUID(r["image_id"]): tuple(tuple(line) for line in r["homography"])
        for r in rows
        if r["state"] == REGISTERED
    }
