"""Step 5: the photo with what was counted drawn on it, from the same values as the rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from demeter.vision.geometry import Polygon, resize
from demeter.vision.values import Box, PhotoCount

Colour = tuple[int, int, int]
_PLANT: Colour = (64, 220, 120)
_EMPTY: Colour = (255, 170, 40)
_RESIDUAL: Colour = (230, 60, 200)
_CONTAINER: Colour = (40, 150, 255)
_ELSEWHERE: Colour = (150, 150, 150)
_QUALITY = 80


def render(
    rgb: NDArray[np.uint8],
    photo: PhotoCount,
    max_side_px: int = 2048,
    *,
    elsewhere: Sequence[Box] = (),
    beyond: Sequence[Polygon] = (),
) -> bytes:
    """The photo [H, W, 3] with containers, detections, residual and a legend, as WebP.

    The longer side is at most ``max_side_px``. ``elsewhere`` are plants that another photo
    counts, ``beyond`` the areas that it counts, whose border is the seam.
    """
    scale = min(1.0, max_side_px / max(rgb.shape[:2]))
    canvas = _shrink(rgb, scale).copy()
    line = max(1, round(max(canvas.shape[:2]) / 900))
    _draw_beyond(canvas, beyond, elsewhere, scale, line)
    _draw_residual(canvas, photo, scale)
    _draw_containers(canvas, photo, scale, line + 1)
    _draw_detections(canvas, photo, scale, line)
    picture = Image.fromarray(canvas)
    _draw_numbers(picture, photo, scale)
    _draw_legend(picture, photo, len(elsewhere))
    return _webp(picture)


def thumbnail(rgb: NDArray[np.uint8], side_px: int = 320) -> bytes:
    """The photo [H, W, 3] with its longer side at most ``side_px``, as WebP."""
    return _webp(Image.fromarray(_shrink(rgb, min(1.0, side_px / max(rgb.shape[:2])))))


def _shrink(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    return resize(rgb, (max(1, round(width * scale)), max(1, round(height * scale))))


def _corners(polygon: Polygon, scale: float) -> NDArray[np.int32]:
    return np.rint(np.array(polygon, np.float64) * scale).astype(np.int32)


def _draw_residual(canvas: NDArray[np.uint8], photo: PhotoCount, scale: float) -> None:
    parts = [_corners(p, scale) for e in photo.estimations for p in e.residual_polygons_px]
    if parts:
        tinted = canvas.copy()
        cv2.fillPoly(tinted, parts, _RESIDUAL)
        cv2.addWeighted(tinted, 0.45, canvas, 0.55, 0, dst=canvas)


def _draw_beyond(
    canvas: NDArray[np.uint8],
    beyond: Sequence[Polygon],
    elsewhere: Sequence[Box],
    scale: float,
    line: int,
) -> None:
    """What another photo counts, greyed, with the seam and its plants in grey."""
    outlines = [_corners(p, scale) for p in beyond]
    if outlines:
        tinted = canvas.copy()
        cv2.fillPoly(tinted, outlines, _ELSEWHERE)
        cv2.addWeighted(tinted, 0.5, canvas, 0.5, 0, dst=canvas)
        cv2.polylines(canvas, outlines, isClosed=True, color=(255, 255, 255), thickness=line + 1)
    for x1, y1, x2, y2 in elsewhere:
        centre = round((x1 + x2) / 2 * scale), round((y1 + y2) / 2 * scale)
        axes = round((x2 - x1) / 2 * scale), round((y2 - y1) / 2 * scale)
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, _ELSEWHERE, line, cv2.LINE_AA)


def _draw_containers(canvas: NDArray[np.uint8], photo: PhotoCount, scale: float, line: int) -> None:
    for container in photo.containers:
        corners = _corners(container.polygon_px, scale)
        cv2.polylines(canvas, [corners], isClosed=True, color=_CONTAINER, thickness=line)


def _draw_detections(canvas: NDArray[np.uint8], photo: PhotoCount, scale: float, line: int) -> None:
    for detection in photo.detections:
        x1, y1, x2, y2 = (round(v * scale) for v in detection.xyxy_px)
        if detection.is_empty_container:
            cv2.rectangle(canvas, (x1, y1), (x2, y2), _EMPTY, line, cv2.LINE_AA)
        else:
            centre, axes = ((x1 + x2) // 2, (y1 + y2) // 2), ((x2 - x1) // 2, (y2 - y1) // 2)
            cv2.ellipse(canvas, centre, axes, 0, 0, 360, _PLANT, line, cv2.LINE_AA)


def _font(height_px: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=height_px)


def _draw_numbers(picture: Image.Image, photo: PhotoCount, scale: float) -> None:
    """Each container's number and count at its upper left corner."""
    draw = ImageDraw.Draw(picture)
    font = _font(max(12, max(picture.size) // 70))
    for row in photo.counts:
        polygon = photo.containers[row.container].polygon_px
        left, top = min(x for x, _ in polygon) * scale, min(y for _, y in polygon) * scale
        plus = "?" if row.estimated is None else str(row.estimated)
        text = f"#{row.container + 1}  {row.detected} + {plus}"
        box = draw.textbbox((left + 4, top + 4), text, font=font)
        draw.rectangle((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3), fill=(0, 0, 0))
        draw.text((left + 4, top + 4), text, font=font, fill=(255, 255, 255))


@dataclass(frozen=True, slots=True)
class _LegendEntry:
    colour: Colour
    text: str


def _entries(photo: PhotoCount, elsewhere: int) -> list[_LegendEntry]:
    empties = sum(c.empty for c in photo.counts)
    estimated = "?" if photo.estimated is None else str(photo.estimated)
    between = "?" if photo.interval_90 is None else "{}-{}".format(*photo.interval_90)
    return [
        _LegendEntry(_CONTAINER, f"containers  {len(photo.containers)}"),
        _LegendEntry(_PLANT, f"detected  {photo.detected}"),
        _LegendEntry(_EMPTY, f"empty  {empties}"),
        _LegendEntry(_RESIDUAL, f"estimated  {estimated}"),
        _LegendEntry((255, 255, 255), f"90 %  {between}"),
        *([_LegendEntry(_ELSEWHERE, f"in another photo  {elsewhere}")] if elsewhere else []),
    ]


def _draw_legend(picture: Image.Image, photo: PhotoCount, elsewhere: int) -> None:
    """A box in the lower left corner; left out where the picture is too small to read it."""
    if min(picture.size) < 200:  # noqa: PLR2004
        return
    height = max(12, max(picture.size) // 75)
    font, entries = _font(height), _entries(photo, elsewhere)
    draw = ImageDraw.Draw(picture, "RGBA")
    width = max(draw.textlength(e.text, font=font) for e in entries) + 3 * height
    row = round(height * 1.5)
    top = picture.height - row * len(entries) - height
    draw.rectangle((0, top, width, picture.height), fill=(0, 0, 0, 190))
    for index, entry in enumerate(entries):
        y = top + height // 2 + index * row
        draw.rectangle((height // 2, y, height * 3 // 2, y + height), fill=entry.colour)
        draw.text((height * 2, y), entry.text, font=font, fill=(255, 255, 255))


def _webp(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=_QUALITY, method=2)
    return stream.getvalue()
