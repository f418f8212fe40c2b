"""Kinds of plants that growers' photos show and the plain scenes do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from demeter_training.scenes.chance import Rng, grey, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.species import Species, draw_species


def draw_growers_species(rng: Rng, kind: str | None) -> Species:
    """The traits of one kind of ``GROWERS_SPECIES``; ``None`` is any plain kind."""
    return draw_species(rng) if kind is None else GROWERS_SPECIES[kind](rng)


def _ruffled(rng: Rng) -> Species:
    """Dark purple, brown or reddish rosettes, most of them ruffled."""
    hue = pick(rng, [uniform(rng, 140, 178), uniform(rng, 0, 12), uniform(rng, 20, 70)])
    colour = hsv(hue, uniform(rng, 30, 160), uniform(rng, 45, 140))
    return replace(
        draw_species(rng, "rosette"),
        colour=colour,
        edge=hsv(pick(rng, [170, 176, 5]), uniform(rng, 60, 180), uniform(rng, 100, 210)),
        edge_share=uniform(rng, 0.05, 0.4) if happens(rng, 0.6) else 0.0,
        wave=uniform(rng, 0.12, 0.5) if happens(rng, 0.7) else 0.0,
        slender=uniform(rng, 0.45, 0.95),
    )


def _large(rng: Rng) -> Species:
    """Broad rosettes, pale lilac, grey or green, that lie over their rims."""
    hue = pick(rng, [uniform(rng, 95, 175), uniform(rng, 35, 60), uniform(rng, 0, 20)])
    return replace(
        draw_species(rng, "rosette"),
        colour=hsv(hue, uniform(rng, 8, 90), uniform(rng, 120, 230)),
        leaves=whole_number(rng, 14, 60),
        slender=uniform(rng, 0.4, 0.8),
        rise=uniform(rng, 0.02, 0.35),
        wave=uniform(rng, 0.1, 0.3) if happens(rng, 0.2) else 0.0,
    )


def _heads(rng: Rng) -> Species:
    """Several heads that share one pot: rosettes or globes."""
    return draw_species(rng, pick(rng, ["offsets", "offsets", "cluster", "sedum"]))


def _spiny(rng: Rng) -> Species:
    """Globes and clusters whose spines, red, white or golden, hide the body."""
    spine = pick(rng, [hsv(0, uniform(rng, 60, 180), 200), grey(rng, 200, 250), hsv(18, 140, 220)])
    return replace(
        draw_species(rng, pick(rng, ["globe", "cluster", "cluster"])),
        spines=uniform(rng, 0.8, 1.6),
        spine_colour=spine,
        colour=hsv(uniform(rng, 30, 80), uniform(rng, 20, 120), uniform(rng, 90, 190)),
    )


def _cactus(rng: Rng) -> Species:
    """White, woolly and grey globes beside green ones."""
    plain = draw_species(rng, pick(rng, ["globe", "globe", "cluster", "column", "pads"]))
    if happens(rng, 0.5):
        return plain
    return replace(
        plain,
        colour=hsv(uniform(rng, 20, 80), uniform(rng, 5, 60), uniform(rng, 130, 225)),
        spines=uniform(rng, 0.5, 1.4),
        spine_colour=grey(rng, 190, 250),
    )


def _small(rng: Rng) -> Species:
    return draw_species(rng, pick(rng, ["globe", "rosette", "aloe", "sedum", "cluster", "offsets"]))


def _stack(rng: Rng) -> Species:
    return replace(
        draw_species(rng, "globe"),
        kind="stack",
        height=2.4,
        spines=uniform(rng, 0, 0.3),
        colour=hsv(uniform(rng, 28, 70), uniform(rng, 20, 130), uniform(rng, 110, 200)),
    )


def _stones(rng: Rng) -> Species:
    """Lithops: pink, grey, brown or green, flat or as tall as wide."""
    hue = pick(rng, [uniform(rng, 2, 20), uniform(rng, 20, 45), uniform(rng, 150, 175)])
    return replace(
        draw_species(rng, "stones"),
        colour=hsv(hue, uniform(rng, 15, 100), uniform(rng, 120, 230)),
        swell=uniform(rng, 0.4, 1.3),
    )


def _lettuce(rng: Rng) -> Species:
    """Lettuces: broad, many, ruffled leaves, bright green or dark red."""
    green = hsv(uniform(rng, 28, 46), uniform(rng, 110, 230), uniform(rng, 130, 240))
    red = hsv(pick(rng, [170, 176, 3, 8]), uniform(rng, 70, 180), uniform(rng, 45, 120))
    return replace(
        draw_species(rng, "rosette"),
        colour=red if happens(rng, 0.3) else green,
        edge=red if happens(rng, 0.3) else green,
        leaves=whole_number(rng, 12, 36),
        slender=uniform(rng, 0.7, 1.3),
        tip=uniform(rng, 0, 0.2),
        rise=uniform(rng, 0.25, 0.9),
        cup=uniform(rng, 0.2, 0.9),
        wave=uniform(rng, 0.15, 0.7),
        flower=None,
    )


def _leafy(rng: Rng) -> Species:
    """Pak choi, brassicas, pansies: a few broad leaves on stalks, rising."""
    return replace(
        draw_species(rng, "seedling"),
        colour=hsv(uniform(rng, 30, 65), uniform(rng, 60, 220), uniform(rng, 70, 220)),
        leaves=whole_number(rng, 5, 14),
        slender=uniform(rng, 0.45, 0.9),
        petiole=uniform(rng, 0.2, 0.5),
        wave=uniform(rng, 0.1, 0.35) if happens(rng, 0.4) else 0.0,
        cup=uniform(rng, 0.1, 0.8),
    )


def _sprout(rng: Rng) -> Species:
    """Seedlings with their two seed leaves and the first true ones."""
    return replace(
        draw_species(rng, "seedling"),
        leaves=pick(rng, [2, 2, 3, 4]),
        colour=hsv(uniform(rng, 35, 75), uniform(rng, 25, 200), uniform(rng, 110, 225)),
    )


GROWERS_SPECIES: dict[str, Callable[[Rng], Species]] = {
    "ruffled": _ruffled,
    "large": _large,
    "heads": _heads,
    "spiny": _spiny,
    "cactus": _cactus,
    "small": _small,
    "stack": _stack,
    "stones": _stones,
    "lettuce": _lettuce,
    "leafy": _leafy,
    "sprout": _sprout,
}
