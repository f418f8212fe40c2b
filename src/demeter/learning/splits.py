"""Which photos are learnt from and which are held back to judge: by place, and by time.

A location's photos are all on one side, decided by the hash of its code: what is held out
today is held out next year, so no model ever learns from a bed that it is judged on. With a
date, models learn from before it and are judged from it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from demeter.learning.ground_truth import TruePhoto


class Side(StrEnum):
    """What a photo is for."""

    TRAIN = "train"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class SplitRule:
    """The share of locations that is held out, and the date that parts learning and judging."""

    held_out_share: float = 0.2
    judged_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A photo that is on neither side, and why."""

    photo: TruePhoto
    reason: str


def is_held_out(location_code: str, share: float) -> bool:
    """Whether a location is held out; its code alone decides."""
    place = int.from_bytes(sha256(f"held out {location_code}".encode()).digest()[:8], "big")
    return place < share * 2**64


def split(
    photos: Iterable[TruePhoto], rule: SplitRule
) -> tuple[dict[Side, list[TruePhoto]], list[LeftOut]]:
    """Photos by side in the order given, and those left out."""
    sides: dict[Side, list[TruePhoto]] = {side: [] for side in Side}
    left_out: list[LeftOut] = []
    for photo in photos:
        at_held_out = is_held_out(photo.location_code, rule.held_out_share)
        later = rule.judged_from is not None and photo.captured_at >= rule.judged_from
        if rule.judged_from is not None and at_held_out is not later:
            when = "after" if later else "before"
            left_out.append(
                LeftOut(photo, f"taken {when} the date at a location of the other side")
            )
        else:
            sides[Side.HELD_OUT if at_held_out else Side.TRAIN].append(photo)
    judged_hashes = {photo.sha256 for photo in sides[Side.HELD_OUT]}
    twins = [p for p in sides[Side.TRAIN] if p.sha256 in judged_hashes]
    left_out += [LeftOut(p, "the same picture is held out at another location") for p in twins]
    sides[Side.TRAIN] = [p for p in sides[Side.TRAIN] if p.sha256 not in judged_hashes]
    return sides, left_out
