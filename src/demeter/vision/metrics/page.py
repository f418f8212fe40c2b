"""A page of pictures: hits, misses and false alarms of every photo, worst first."""

from __future__ import annotations

import html
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demeter.vision.geometry import resize
from demeter.vision.metrics.figures import PhotoFigures
from demeter.vision.metrics.run import picture_of

_SIDE_PX = 1400
_HIT, _MISS, _ALARM, _IGNORED = (60, 220, 110), (255, 60, 60), (255, 190, 30), (150, 150, 150)
_CONTAINER = (40, 150, 255)

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Counts against marks</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}
figure{margin:2rem 0}img{max-width:100%;height:auto}figcaption{font-variant-numeric:tabular-nums}
.hit{color:#1a7f3c}.miss{color:#c00}.alarm{color:#a66b00}</style>
<h1>Counts against marks, worst first</h1>
<p><span class="hit">Green: hit.</span> <span class="miss">Red: missed.</span>
<span class="alarm">Yellow: false alarm.</span> Grey: counts neither way. Blue: containers.</p>
"""


def write_page(figures: list[PhotoFigures], folder: Path) -> Path:
    """Write ``index.html`` and its pictures into ``folder``; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    worst_first = sorted(figures, key=lambda f: (f.precision_recall_f1[2], str(f.marked.file)))
    parts = [_HEAD]
    for number, figure in enumerate(worst_first, 1):
        name = f"{number:04}.webp"
        Image.fromarray(_draw(figure)).save(folder / name, "WEBP", quality=80)
        parts.append(_figure(figure, name))
    page = folder / "index.html"
    page.write_text("".join(parts), encoding="utf-8")
    return page


def _figure(figure: PhotoFigures, name: str) -> str:
    precision, recall, f1 = figure.precision_recall_f1
    counted = "unknown" if figure.counted is None else str(figure.counted)
    between = "no interval" if figure.interval_90 is None else "{}-{}".format(*figure.interval_90)
    title = html.escape(figure.marked.file.name)
    return (
        f'<figure><img src="{name}" alt="{title}"><figcaption><b>{title}</b>: '
        f"{figure.plants.marks} marked, {counted} counted (90 %: {between}), "
        f'<span class="hit">{figure.plants.hits} hits</span>, '
        f'<span class="miss">{figure.plants.misses} missed</span>, '
        f'<span class="alarm">{figure.plants.false_alarms} false alarms</span>; '
        f"precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}</figcaption></figure>\n"
    )


def _draw(figure: PhotoFigures) -> NDArray[np.uint8]:
    rgb = picture_of(figure.marked)
    scale = min(1.0, _SIDE_PX / max(rgb.shape[:2]))
    size_wh = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    canvas = resize(rgb, size_wh).copy()
    for container in figure.photo.containers:
        corners = np.rint(np.array(container.polygon_px) * scale).astype(np.int32)
        cv2.polylines(canvas, [corners], isClosed=True, color=_CONTAINER, thickness=2)
    hit_marks = set(figure.plants.mark_of[figure.plants.mark_of >= 0].tolist())
    for index, (x, y, radius) in enumerate(figure.marked.plants * scale):
        if index not in hit_marks:
            cv2.circle(canvas, (round(x), round(y)), round(radius), _MISS, 2, cv2.LINE_AA)
    for x, y, radius in figure.marked.ignore.discs * scale:
        cv2.circle(canvas, (round(x), round(y)), round(radius), _IGNORED, 2, cv2.LINE_AA)
    outlines = figure.marked.ignore.polygons_px
    regions = [np.rint(np.array(o) * scale).astype(np.int32) for o in outlines]
    cv2.polylines(canvas, regions, isClosed=True, color=_IGNORED, thickness=2)
    plants = [d for d in figure.photo.detections if not d.is_empty_container]
    for detection, mark in zip(plants, figure.plants.mark_of, strict=True):
        x1, y1, x2, y2 = (round(v * scale) for v in detection.xyxy_px)
        colour = _HIT if mark >= 0 else _ALARM if mark == -1 else _IGNORED
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, 2)
    return canvas
