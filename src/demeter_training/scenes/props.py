"""Things that stand about where plants are sold: signs, bows, packets, screens, a wall behind."""

from __future__ import annotations

import cv2
import numpy as np

from demeter_training.scenes.canvas import SceneCanvas, hull
from demeter_training.scenes.chance import Rng, grey, happens, hsv, pick, uniform, whole_number
from demeter_training.scenes.surfaces import ground
from demeter_training.scenes.values import Bytes, Floats, Integers
from demeter_training.scenes.vessels import base_of, rim_of
from demeter_training.scenes.world import Vessel, World

LETTERS = "ABCDEFGHIJKLMNOPRSTUVXYZ 0123456789"
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_words(
    rng: Rng, rgb: Bytes, at: tuple[int, int], wide: int, tall: int, tone: Floats
) -> None:
    """A line of letters about ``wide`` by ``tall`` pixels from its lower left corner."""
    if tall < 5:  # noqa: PLR2004 - too small for letters
        cv2.line(rgb, at, (at[0] + wide, at[1]), tone.tolist(), 1)
        return
    count = max(1, int(wide / (tall * 0.8)))
    words = "".join(pick(rng, LETTERS) for _ in range(count))
    thick = max(1, int(tall / 10))
    cv2.putText(rgb, words, at, FONT, tall / 24, tone.tolist(), thick, cv2.LINE_AA)


def paint_signs(rng: Rng, picture: SceneCanvas, world: World) -> None:
    """Boards on sticks, one to three on each, of bright colours and with letters."""
    if not world.sign_share:
        return
    for plant in world.plants:
        if rng.random() >= world.sign_share:
            continue
        size = plant.diameter_cm * uniform(rng, 0.3, 0.7)
        side = pick(rng, [-1, 1]) * plant.diameter_cm * uniform(rng, 0.3, 0.7)
        foot = np.array([plant.x + side, plant.y - plant.diameter_cm * 0.3, plant.z])
        top = foot + np.array([rng.normal(0, 0.6), 0.0, size * uniform(rng, 2, 4)])
        _paint_stick(rng, picture, foot, top, size)


def _paint_stick(rng: Rng, picture: SceneCanvas, foot: Floats, top: Floats, size: float) -> None:
    stick = hsv(14, uniform(rng, 20, 150), uniform(rng, 90, 240))
    thin = np.array([size * 0.06, 0, 0])
    _own(
        picture,
        picture.to_fixed_point(np.stack([foot - thin, foot + thin, top + thin, top - thin])),
        stick,
    )
    for k in range(whole_number(rng, 1, 3)):
        middle = top + (foot - top) * (0.14 + 0.24 * k)
        half, tall = np.array([size * uniform(rng, 0.5, 0.9), 0, 0]), np.array([0, 0, size * 0.3])
        lean = np.array([0, 0, size * rng.normal(0, 0.06)])
        board = np.stack(
            [
                middle - half - lean,
                middle + half + lean,
                middle + half + lean + tall,
                middle - half - lean + tall,
            ]
        )
        flat = picture.to_fixed_point(board)
        colour = hsv(uniform(rng, 0, 180), uniform(rng, 0, 230), uniform(rng, 120, 250))
        _own(picture, flat, colour)
        low, high = (flat >> 4).min(0), (flat >> 4).max(0)
        wide, high_px = int(high[0] - low[0]), int(high[1] - low[1])
        ink = grey(rng, 0, 60) if colour.mean() > 110 else grey(rng, 200, 255)  # noqa: PLR2004
        start = (int(low[0] + wide * 0.12), int(high[1] - high_px * 0.25))
        if 3 < high_px < 200:  # noqa: PLR2004
            draw_words(rng, picture.rgb, start, int(wide * 0.7), int(high_px * 0.5), ink)


def _own(picture: SceneCanvas, polygon: Integers, colour: Floats) -> None:
    """Fill a polygon and take its pixels from the plants behind it."""
    picture.fill(polygon, colour)
    cv2.fillPoly(picture.ids, [polygon], 0, cv2.LINE_8, 4)


def paint_finery(rng: Rng, picture: SceneCanvas, vessel: Vessel) -> None:
    """Letters on a vessel's sides, and a bow on its front."""
    rim, foot = rim_of(vessel), base_of(vessel)
    front = int(np.argmax(rim[:, 1]))
    top_px, foot_px = (picture.camera.project(p[front : front + 1])[0] for p in (rim, foot))
    scale = float(picture.camera.px_per_cm(rim[front : front + 1])[0])
    wide, tall = vessel.half_cm[0] * scale, float(foot_px[1] - top_px[1])
    height, width = picture.ids.shape
    if tall < 8 or not (0 < top_px[0] < width and 0 < top_px[1] < height):  # noqa: PLR2004
        return
    if vessel.is_printed:
        ink = vessel.colour * 0.4 if vessel.colour.mean() > 110 else vessel.colour + 120  # noqa: PLR2004
        for row in range(whole_number(rng, 1, 3)):
            at = (int(top_px[0] - wide * 0.6), int(top_px[1] + tall * (0.4 + 0.22 * row)))
            draw_words(
                rng, picture.rgb, at, int(wide * 1.2), int(tall * 0.16), np.clip(ink, 0, 255)
            )
    if vessel.ribbon is not None:
        middle = (int(top_px[0]), int(top_px[1] + tall * 0.35))
        axes = (max(1, int(wide * 0.3)), max(1, int(wide * 0.14)))
        for lean, side in ((25, -1), (-25, 1)):
            at = (middle[0] + side * axes[0], middle[1])
            tone = np.clip(vessel.ribbon * uniform(rng, 0.7, 1.1), 0, 255).tolist()
            cv2.ellipse(picture.rgb, at, axes, lean, 0, 360, tone, -1, cv2.LINE_AA)


def paint_backdrop(rng: Rng, picture: SceneCanvas, world: World) -> None:
    """A wall that stands behind the bench, if the camera looks so far."""
    if world.backdrop is None:
        return
    far = min(v.y - v.half_cm[1] for v in world.vessels) - uniform(rng, 0, 60)
    reach = 4000.0
    foot = np.array([[-reach, far, 0.0], [reach, far, 0.0]])
    ends = picture.camera.project(foot)
    left, right = ends[0], ends[1]
    polygon = np.stack([left, right, right - (0, 1e5), left - (0, 1e5)])
    flat = np.round(np.clip(polygon, -30000, 30000) * 16).astype(np.int32)
    mask = np.zeros(picture.ids.shape, np.uint8)
    cv2.fillPoly(mask, [flat], 255, cv2.LINE_AA, 4)
    if not mask.any():
        return
    height, width = picture.ids.shape
    texture = ground(world.backdrop, world.seed % 8)
    side = max(width, height)
    wall = cv2.resize(texture, (side, side), interpolation=cv2.INTER_LINEAR)[:height, :width]
    wall = cv2.GaussianBlur(wall, (0, 0), side * uniform(rng, 0.001, 0.008))
    tint = hsv(uniform(rng, 0, 180), uniform(rng, 0, 110), 255) / 255 * uniform(rng, 0.4, 1.1)
    shown = np.clip(wall * tint, 0, 255).astype(np.uint8)
    picture.rgb[mask > 0] = shown[mask > 0]


def paint_sheets(rng: Rng, rgb: Bytes, count: int) -> None:
    """Packets, leaflets, phones and screens that lie or stand about, each with its own picture."""
    height, width = rgb.shape[:2]
    for _ in range(count):
        long = max(height, width) * uniform(rng, 0.06, 0.45)
        w, h = max(12, int(long)), max(12, int(long * uniform(rng, 0.45, 1.5)))
        sheet = _phone_screen(rng, w, h) if happens(rng, 0.4) else _packet(rng, w, h)
        at = np.array([uniform(rng, 0, width), uniform(rng, 0, height)])
        turn, lean = uniform(rng, -3.1, 3.1), uniform(rng, 0.5, 1.0)
        c, s = np.cos(turn), np.sin(turn)
        corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 @ np.array([[c, s], [-s, c]])
        corners = corners * (1, lean) + at
        source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
        cv2.warpPerspective(
            sheet, matrix, (width, height), dst=rgb, borderMode=cv2.BORDER_TRANSPARENT
        )


def _packet(rng: Rng, w: int, h: int) -> Bytes:
    """A seed packet, tin or leaflet: a ground colour, blobs of fruit, bands, letters."""
    sheet = np.full((h, w, 3), hsv(uniform(rng, 0, 180), uniform(rng, 0, 230), 230), np.uint8)
    for _ in range(whole_number(rng, 0, 9)):
        at, r = (
            (int(rng.integers(w)), int(rng.integers(h))),
            max(1, int(w * uniform(rng, 0.05, 0.3))),
        )
        tone = hsv(pick(rng, [0, 4, 12, 25, 45, 60, 120]), uniform(rng, 120, 250), 200)
        cv2.circle(sheet, at, r, tone.tolist(), -1, cv2.LINE_AA)
        cv2.circle(
            sheet,
            (at[0] - r // 3, at[1] - r // 3),
            max(1, r // 4),
            (tone * 1.2).clip(0, 255).tolist(),
            -1,
        )
    for _ in range(whole_number(rng, 1, 5)):
        at = (int(w * uniform(rng, 0.02, 0.3)), int(h * uniform(rng, 0.1, 0.95)))
        draw_words(
            rng, sheet, at, int(w * 0.6), int(h * uniform(rng, 0.04, 0.14)), grey(rng, 0, 255)
        )
    return sheet


def _phone_screen(rng: Rng, w: int, h: int) -> Bytes:
    """A screen: a dark frame, tiles and lines of text."""
    sheet = np.full((h, w, 3), grey(rng, 5, 40), np.uint8)
    edge = max(2, w // 20)
    light = happens(rng, 0.5)
    sheet[edge:-edge, edge:-edge] = grey(rng, 200, 250) if light else grey(rng, 15, 50)
    ink = grey(rng, 0, 90) if light else grey(rng, 170, 255)
    columns, rows = whole_number(rng, 1, 4), whole_number(rng, 2, 9)
    for row in range(rows):
        y = edge + int((h - 2 * edge) * (row + 0.5) / rows)
        for column in range(columns):
            x = edge + int((w - 2 * edge) * (column + 0.1) / columns)
            wide = int((w - 2 * edge) / columns * 0.7)
            if happens(rng, 0.4):
                tone = hsv(uniform(rng, 0, 180), uniform(rng, 60, 220), uniform(rng, 90, 240))
                cv2.rectangle(
                    sheet, (x, y - wide // 4), (x + wide, y + wide // 4), tone.tolist(), -1
                )
            else:
                draw_words(rng, sheet, (x, y), wide, max(3, h // rows // 3), ink)
    return sheet


def bow_colour(rng: Rng) -> Floats:
    """The colour of a ribbon."""
    return pick(
        rng, [hsv(0, 220, 190), grey(rng, 220, 250, 0.01), hsv(uniform(rng, 0, 180), 190, 210)]
    )


def outline_of(vessel: Vessel, picture: SceneCanvas) -> Integers:
    """The convex outline of a vessel's rim in the picture."""
    return hull(picture.to_fixed_point(rim_of(vessel)))
