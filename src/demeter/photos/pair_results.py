"""How photos overlap, as it stands in the images' results; see `photos.overlap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

from demeter.core.notices import Notice
from demeter.photos.models import SessionImage

PAIRS, RETURNS, BEFORE = "overlaps", "returns", "before_overlaps"
REGISTERED, APART, UNSURE = "registered", "apart", "unsure"

Homography = tuple[tuple[float, ...], ...]


def undecided_pairs(showing: Sequence[SessionImage]) -> list[Notice]:
    """Pairs of photos of which nobody can say yet whether they show the same plants."""
    pairs = []
    for first, second in combinations(showing, 2):
        rows = (first.result or {}).get(PAIRS, [])
        pair = next((r for r in rows if r["with"] == second.position), None)
        if pair is None or pair["state"] == UNSURE:
            pairs.append(_pair_notice(first.position, second.position, pair))
    return pairs


def _pair_notice(first: int, second: int, pair: Mapping[str, Any] | None) -> Notice:
    if pair is None:
        return Notice("pair_not_compared", {"first": first, "second": second})
    why = Notice.from_json(pair["told"])
    return Notice("pair_unsure", {"first": first, "second": second, "why": why})


def returns_of(row: SessionImage) -> Mapping[UUID, Homography]:
    """By the image of an earlier session, the homography from its pixels to this one's."""
    rows: list[dict[str, Any]] = (row.result or {}).get(RETURNS, [])
    return {
        UUID(r["image_id"]): tuple(tuple(line) for line in r["homography"])
        for r in rows
        if r["state"] == REGISTERED
    }
