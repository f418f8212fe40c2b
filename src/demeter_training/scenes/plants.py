"""One plant as a sprite: drawn from its species, as a tilted camera sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from demeter_training.scenes.bodies import Body, Canvas, areoles, draw_body, draw_spines
from demeter_training.scenes.chance import Rng, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.leaves import Leaf, View, draw_leaves, jitter
from demeter_training.scenes.species import Species
from demeter_training.scenes.values import Bytes, Floats

GOLDEN = 2.399963
TALL = {"column", "stack", "pads", "globe", "cluster"}


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn plant: RGB float32, coverage 0..255, where it stands and its scale.

    ``foot`` is the pixel of the point where it grows from the soil;
    ``px_per_reach`` the pixels of half its width.
    """

    rgb: Floats
    alpha: Bytes
    foot: tuple[float, float]
    px_per_reach: float


def draw_plant(rng: Rng, species: Species, view: View, px_per_reach: float) -> Sprite:
    """Draw one plant of a species; cut to what it covers."""
    up = 1.2 + species.height * 2.2 * np.sin(view.tilt)
    width = int(2.7 * px_per_reach) + 8
    height = int((1.35 + up) * px_per_reach) + 8
    canvas = Canvas(
        rgb=np.zeros((height, width, 3), np.float32),
        alpha=np.zeros((height, width), np.uint8),
        near=np.full((height, width), -99, np.float32),
        origin=(width / 2, up * px_per_reach + 4),
        scale=px_per_reach,
    )
    _PAINTERS[species.kind](rng, species, view, canvas)
    _mottle(rng, canvas)
    return _cut_out(canvas, species.kind in TALL)


def _cut_out(canvas: Canvas, tall: bool) -> Sprite:
    """The sprite cut out; what is not tall is as wide as its longer side is long."""
    x, y, w, h = cv2.boundingRect((canvas.alpha > 0).astype(np.uint8))
    return Sprite(
        rgb=np.clip(canvas.rgb[y : y + h, x : x + w], 0, 255),
        alpha=canvas.alpha[y : y + h, x : x + w],
        foot=(canvas.origin[0] - x, canvas.origin[1] - y),
        px_per_reach=max(w, 2 if tall else h, 2) / 2,
    )


def _mottle(rng: Rng, canvas: Canvas) -> None:
    """Uneven pigment, dust and bloom: slow noise over the whole plant."""
    noise = rng.normal(1, 0.1, (9, 9)).astype(np.float32)
    height, width = canvas.alpha.shape
    canvas.rgb *= cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]


def _rosette_leaves(rng: Rng, s: Species, centre: tuple[float, float], reach: float) -> list[Leaf]:
    count = max(3, int(s.leaves * uniform(rng, 0.8, 1.2)))
    start, out = uniform(rng, 0, 6.28), []
    steep = uniform(rng, 0.9, 1.35)
    for k in range(count):
        young = 1 - k / count
        length = reach * (0.28 + 0.72 * (1 - young) ** 0.7) * uniform(rng, 0.88, 1.06)
        colour = jitter(rng, s.colour * (0.86 + 0.24 * young), 0.05)
        dry = k < count * 0.15 and happens(rng, 0.06)
        out.append(
            Leaf(
                base=(centre[0], centre[1], 0.12 * reach + 0.25 * reach * young),
                azimuth=start + k * GOLDEN + rng.normal(0, 0.07),
                rise=s.rise + steep * young**1.2,
                bend=uniform(rng, -0.15, 0.35),
                length=length,
                width=max(0.07 * reach, length * s.slender * (0.8 + 0.3 * young)),
                petiole=s.petiole,
                tip=s.tip,
                cup=s.cup,
                colour=hsv(14, 110, 120) if dry else colour,
                edge=s.edge,
                edge_share=s.edge_share,
                wave=s.wave,
            )
        )
    return out


def _shade_of(leaves: list[Leaf], reach: float) -> Floats:
    """Lower and outer leaves stand in the shade of the others."""
    lift = np.array([leaf.base[2] for leaf in leaves]) / max(reach, 1e-6)
    return (0.78 + 0.6 * np.clip(lift, 0, 0.4)).astype(np.float32)


def _draw_rosette(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    leaves = _rosette_leaves(rng, s, (0, 0), 1.0)
    draw_leaves(
        canvas.rgb, canvas.alpha, leaves, view, canvas.origin, canvas.scale, _shade_of(leaves, 1.0)
    )
    if s.dots:
        _draw_dots(rng, canvas)
    if s.flower is not None and happens(rng, 0.5):
        _draw_flower(rng, s, view, canvas, (0, 0, 0.5))


def _draw_offsets(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """A pot-filling clump of several rosettes: one plant."""
    heads, leaves, reach = whole_number(rng, 3, 8), [], uniform(rng, 0.38, 0.62)
    for k in range(heads):
        far = (1 - reach) * np.sqrt((k + 0.3) / heads) * 1.05
        at = (far * np.cos(k * GOLDEN), far * np.sin(k * GOLDEN))
        leaves += _rosette_leaves(rng, s, at, reach * uniform(rng, 0.75, 1.1))
    draw_leaves(
        canvas.rgb,
        canvas.alpha,
        leaves,
        view,
        canvas.origin,
        canvas.scale,
        _shade_of(leaves, reach),
    )


def _draw_seedling(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    count = max(2, s.leaves + whole_number(rng, -1, 1))
    start, leaves = uniform(rng, 0, 6.28), []
    for k in range(count):
        turn = k * (np.pi if count == 2 else GOLDEN)  # noqa: PLR2004 - two seed leaves oppose
        length = uniform(rng, 0.55, 1.0) if k > 1 else uniform(rng, 0.75, 1.0)
        leaves.append(
            Leaf(
                base=(0, 0, 0.1 + 0.05 * k),
                azimuth=start + turn + rng.normal(0, 0.2),
                rise=uniform(rng, 0.1, 0.7),
                bend=uniform(rng, -0.5, 0.1),
                length=length,
                width=length * s.slender * uniform(rng, 0.85, 1.15),
                petiole=s.petiole,
                tip=s.tip,
                cup=s.cup * 0.5,
                colour=jitter(rng, s.colour, 0.08),
                edge=s.edge,
                edge_share=0.0,
            )
        )
    draw_leaves(
        canvas.rgb,
        canvas.alpha,
        leaves,
        view,
        canvas.origin,
        canvas.scale,
        np.full(count, 1.0, np.float32),
    )


def _draw_sedum(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """Stems that lie or stand, each with small thick leaves all around."""
    stems, leaves = whole_number(rng, 2, 8), []
    ways = [
        (uniform(rng, 0, 6.28), uniform(rng, 0.2, 0.9), uniform(rng, 0.1, 0.9))
        for _ in range(stems)
    ]
    size = uniform(rng, 0.14, 0.3)
    for k in range(s.leaves):
        azimuth, far, high = ways[k % stems]
        along = np.sqrt(rng.random())
        base = (far * along * np.cos(azimuth), far * along * np.sin(azimuth), high * along * 0.6)
        leaves.append(
            Leaf(
                base=base,
                azimuth=k * GOLDEN + rng.normal(0, 0.3),
                rise=uniform(rng, 0.2, 1.0),
                bend=0.2,
                length=size * uniform(rng, 0.7, 1.3),
                width=size * s.slender,
                petiole=0.0,
                tip=s.tip,
                cup=0.2,
                colour=jitter(rng, s.colour * (0.8 + 0.3 * along), 0.07),
                edge=s.edge,
                edge_share=s.edge_share,
            )
        )
    draw_leaves(
        canvas.rgb, canvas.alpha, leaves, view, canvas.origin, canvas.scale, _shade_of(leaves, 1.0)
    )


def _body_of(
    rng: Rng, s: Species, centre: tuple[float, float], reach: float, height: float
) -> Body:
    return Body(
        centre=(centre[0], centre[1], reach * height * uniform(rng, 0.75, 0.95)),
        axes=(reach * uniform(rng, 0.92, 1.03), reach * uniform(rng, 0.92, 1.03), reach * height),
        yaw=uniform(rng, 0, 6.28),
        colour=jitter(rng, s.colour, 0.07),
        ribs=s.ribs,
        rib_depth=uniform(rng, 0.25, 0.6),
        twist=uniform(rng, -0.4, 0.4),
        wool=uniform(rng, 0.1, 0.8),
        wool_colour=hsv(20, 25, uniform(rng, 170, 250)),
        rows=whole_number(rng, 5, 11),
    )


def _draw_spined_body(rng: Rng, s: Species, view: View, canvas: Canvas, body: Body) -> None:
    draw_body(canvas, body, view)
    if s.spines <= 0:
        return
    roots = areoles(body)
    each = 1 + int(s.spines * 4 * min(1.0, canvas.scale / 60))
    roots = np.repeat(roots, each, axis=0)
    out = (roots - np.array(body.centre)) / np.array(body.axes)
    spread = rng.normal(0, 0.8, roots.shape)
    tips = roots + (out + spread) * body.axes[0] * uniform(rng, 0.08, 0.3) * 0.7
    draw_spines(canvas, roots, tips.astype(np.float32), view, s.spine_colour)


def _draw_globe(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    body = _body_of(rng, s, (0, 0), 0.92, s.height)
    _draw_spined_body(rng, s, view, canvas, body)
    if s.flower is not None:
        for _ in range(whole_number(rng, 1, 4)):
            a, far = uniform(rng, 0, 6.28), uniform(rng, 0, 0.4)
            top = body.centre[2] + body.axes[2] * 0.9
            _draw_flower(rng, s, view, canvas, (far * np.cos(a), far * np.sin(a), top))


def _draw_column(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """A stack of globes that melt into a column with a round top."""
    body, step = _body_of(rng, s, (0, 0), 0.8, 1.0), uniform(rng, 0.45, 0.7)
    count = max(2, int((s.height - 1) / step))
    lean = rng.normal(0, 0.04, 2)
    for k in range(count):
        x, y, z = lean[0] * k, lean[1] * k, 0.7 + k * step * 0.8
        part = replace(body, centre=(x, y, z), twist=0.0)
        _draw_spined_body(rng, s, view, canvas, part)
    if s.flower is not None:
        _draw_flower(rng, s, view, canvas, (0, 0, 0.7 + count * step * 0.8 + 0.4))


def _draw_stack(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """Globes that stand on each other, each smaller than the one below."""
    reach, foot = 0.9, 0.0
    for _ in range(whole_number(rng, 2, 3)):
        body = _body_of(rng, s, (rng.normal(0, 0.05), rng.normal(0, 0.05)), reach, 1.0)
        centre = (body.centre[0], body.centre[1], foot + reach * 0.9)
        _draw_spined_body(rng, s, view, canvas, replace(body, centre=centre))
        foot, reach = foot + reach * 1.6, reach * uniform(rng, 0.7, 1.0)


def _draw_cluster(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    count, reach = whole_number(rng, 4, 16), uniform(rng, 0.24, 0.5)
    for k in range(count):
        far = (1 - reach) * np.sqrt((k + 0.2) / count)
        at = (far * np.cos(k * GOLDEN), far * np.sin(k * GOLDEN))
        size = reach * uniform(rng, 0.75, 1.15)
        _draw_spined_body(rng, s, view, canvas, _body_of(rng, s, at, size, min(s.height, 1.2)))


def _draw_strands(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """A string of pearls: beads on stems that trail from one crown, with soil between them."""
    flat, bead = replace(s, ribs=0), uniform(rng, 0.05, 0.09)
    for k in range(whole_number(rng, 6, 12)):
        at, way = np.zeros(2), k * GOLDEN + rng.normal(0, 0.3)
        for _ in range(whole_number(rng, 5, 12)):
            at = at + bead * uniform(rng, 1.6, 2.6) * np.array([np.cos(way), np.sin(way)])
            way += rng.normal(0, 0.35)
            if np.hypot(*at) < 1 - bead:
                size = bead * uniform(rng, 0.8, 1.2)
                draw_body(canvas, _body_of(rng, flat, (at[0], at[1]), size, 1.0), view)


def _draw_pads(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    flat = replace(s, ribs=0)
    for k in range(whole_number(rng, 1, 5)):
        body = _body_of(rng, flat, (rng.normal(0, 0.25), rng.normal(0, 0.25)), 0.55, 1.3)
        lifted = (body.centre[0], body.centre[1], body.centre[2] + 0.45 * (k > 1))
        _draw_spined_body(
            rng, flat, view, canvas, replace(body, centre=lifted, axes=(0.6, 0.14, 0.75), ribs=0)
        )


def _draw_stones(rng: Rng, s: Species, view: View, canvas: Canvas) -> None:
    """Lithops: pairs of fat leaves with a cleft between them."""
    yaw, count = uniform(rng, 0, 6.28), pick(rng, [1, 1, 2, 3])
    for k in range(count):
        far = 0.0 if count == 1 else 0.45
        x, y = far * np.cos(k * 2.1), far * np.sin(k * 2.1)
        half = 0.9 if count == 1 else 0.5
        for side in (-1, 1):
            dx, dy = -np.sin(yaw) * half * 0.48 * side, np.cos(yaw) * half * 0.48 * side
            body = _body_of(rng, replace(s, ribs=0), (x + dx, y + dy), half, 0.6)
            draw_body(
                canvas, replace(body, axes=(half, half * 0.46, half * s.swell), yaw=yaw), view
            )


def _draw_flower(
    rng: Rng, s: Species, view: View, canvas: Canvas, at: tuple[float, float, float]
) -> None:
    bright = s.flower if s.flower is not None else s.edge
    size, petals = uniform(rng, 0.15, 0.4), whole_number(rng, 5, 16)
    leaves = [
        Leaf(
            base=at,
            azimuth=k * 2 * np.pi / petals,
            rise=0.5,
            bend=-0.3,
            length=size,
            width=size * 0.4,
            petiole=0.0,
            tip=0.4,
            cup=0.2,
            colour=jitter(rng, bright, 0.06),
            edge=bright,
            edge_share=0.0,
        )
        for k in range(petals)
    ]
    draw_leaves(
        canvas.rgb,
        canvas.alpha,
        leaves,
        view,
        canvas.origin,
        canvas.scale,
        np.full(petals, 1.1, np.float32),
    )


def _draw_dots(rng: Rng, canvas: Canvas) -> None:
    """White tubercles of haworthias and gasterias."""
    rows, columns = np.nonzero(canvas.alpha)
    for k in rng.integers(0, len(rows), int(canvas.scale * 3)):
        cv2.circle(
            canvas.rgb,
            (int(columns[k]), int(rows[k])),
            max(1, int(canvas.scale * 0.012)),
            (225, 228, 215),
            -1,
            cv2.LINE_AA,
        )


_PAINTERS = {
    "rosette": _draw_rosette,
    "aloe": _draw_rosette,
    "seedling": _draw_seedling,
    "sedum": _draw_sedum,
    "offsets": _draw_offsets,
    "globe": _draw_globe,
    "column": _draw_column,
    "stack": _draw_stack,
    "cluster": _draw_cluster,
    "pads": _draw_pads,
    "stones": _draw_stones,
    "strands": _draw_strands,
}
