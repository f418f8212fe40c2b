"""Kinds of plants: what all plants of one lot share, drawn once for a scene."""

from __future__ import annotations

from dataclasses import dataclass

from demeter_training.scenes.chance import Rng, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.values import Floats

KINDS = {
    "rosette": 0.30,
    "aloe": 0.09,
    "seedling": 0.15,
    "sedum": 0.10,
    "offsets": 0.08,
    "globe": 0.12,
    "column": 0.06,
    "cluster": 0.05,
    "pads": 0.03,
    "stones": 0.02,
}
# Never drawn unless asked for: what the shipped models have not learnt, to measure learning by.
UNSEEN = "strands"


@dataclass(frozen=True, slots=True)
class Species:
    """The traits of one kind of plant; single plants vary around them.

    ``height`` is the plant's height in units of its reach (half its width), ``wave`` how ruffled
    its leaves are, ``swell`` how high a stone stands beside its width.
    """

    kind: str
    colour: Floats
    edge: Floats
    edge_share: float
    leaves: int
    slender: float
    tip: float
    rise: float
    cup: float
    petiole: float
    ribs: int
    height: float
    spines: float
    spine_colour: Floats
    flower: Floats | None
    dots: bool
    wave: float = 0.0
    swell: float = 0.6


def draw_species(rng: Rng, kind: str | None = None) -> Species:
    """Draw the traits of one kind of plant; the kind too if none is given."""
    kind = kind or pick(rng, list(KINDS), list(KINDS.values()))
    colour = _leaf_colour(rng, kind)
    red = hsv(pick(rng, [173, 178, 3, 8]), uniform(rng, 90, 200), uniform(rng, 120, 210))
    blooming = kind in {"globe", "rosette", "cluster", "column"} and happens(rng, 0.12)
    bright = hsv(pick(rng, [172, 160, 150, 28, 20, 5]), uniform(rng, 120, 230), 235)
    return Species(
        kind=kind,
        colour=colour,
        edge=red if happens(rng, 0.7) else colour * 1.15,
        edge_share=uniform(rng, 0.1, 0.6) if happens(rng, 0.45) else 0.0,
        leaves=_leaf_count(rng, kind),
        slender=_slender(rng, kind),
        tip=_tip(rng, kind),
        rise=uniform(rng, 0.05, 0.55),
        cup=uniform(rng, 0.1, 0.7),
        petiole=uniform(rng, 0.25, 0.6) if kind == "seedling" else 0.0,
        ribs=whole_number(rng, 8, 26),
        height=_height(rng, kind),
        spines=0.0 if happens(rng, 0.2) else uniform(rng, 0.1, 1.0),
        spine_colour=hsv(
            pick(rng, [20, 15, 25, 0, 8]), uniform(rng, 0, 130), uniform(rng, 110, 255)
        ),
        flower=bright if blooming else None,
        dots=kind == "aloe" and happens(rng, 0.5),
    )


def _leaf_colour(rng: Rng, kind: str) -> Floats:
    if kind == "seedling":
        return hsv(uniform(rng, 32, 62), uniform(rng, 70, 210), uniform(rng, 110, 235))
    hue = pick(
        rng,
        [
            uniform(rng, 33, 50),
            uniform(rng, 50, 72),
            uniform(rng, 72, 100),
            uniform(rng, 0, 18),
            uniform(rng, 150, 178),
            uniform(rng, 105, 140),
        ],
        [0.38, 0.28, 0.21, 0.05, 0.05, 0.03],
    )
    if kind in {"globe", "column", "cluster", "pads"} and happens(rng, 0.85):
        hue = uniform(rng, 35, 90)
    return hsv(hue, uniform(rng, 18, 150), uniform(rng, 95, 235))


def _leaf_count(rng: Rng, kind: str) -> int:
    return {
        "rosette": whole_number(rng, 10, 48),
        "aloe": whole_number(rng, 8, 34),
        "seedling": pick(rng, [2, 3, 4, 5, 6, 8, 10]),
        "sedum": whole_number(rng, 24, 70),
        "offsets": whole_number(rng, 9, 22),
    }.get(kind, 0)


def _slender(rng: Rng, kind: str) -> float:
    """Width of a leaf as a share of its length."""
    if kind == "aloe":
        return uniform(rng, 0.1, 0.26)
    if kind == "seedling":
        return uniform(rng, 0.28, 0.6)
    if kind == "sedum":
        return uniform(rng, 0.4, 0.8)
    return uniform(rng, 0.34, 0.8)


def _tip(rng: Rng, kind: str) -> float:
    if kind == "aloe":
        return uniform(rng, 0.6, 1.0)
    return uniform(rng, 0.0, 0.35) if kind in {"seedling", "sedum"} else uniform(rng, 0.0, 0.8)


def _height(rng: Rng, kind: str) -> float:
    return {
        "column": uniform(rng, 2.0, 4.5),
        "globe": uniform(rng, 0.75, 1.4),
        "pads": uniform(rng, 1.2, 2.0),
    }.get(kind, uniform(rng, 0.5, 1.0))
