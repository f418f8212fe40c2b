"""Scenes to files: JPEG pictures and one ``coco.json`` with the truth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np

from demeter.vision.coco_categories import CATEGORIES, CONTAINERS, EMPTY, PLANT
from demeter.vision.errors import ScenesRefused
from demeter_training.scenes.chance import log_uniform
from demeter_training.scenes.compose import scene, tile
from demeter_training.scenes.growers_views import bare_photo, growers_photo
from demeter_training.scenes.values import Scene

PHOTO_SIZES = ((4000, 3000), (4624, 3468), (3000, 4000), (4000, 3000))
JPEG_QUALITY = 95


def coco_rows(picture: Scene) -> list[dict[str, Any]]:
    """A scene's truth as COCO annotations without ids.

    Boxes are ``[x, y, w, h]`` in pixels. A plant has ``visible`` (0 to 1) and ``container``,
    the position of its container among the picture's containers (-1: none); a container has
    its polygon and its counts of ``plants`` and ``empties``.
    """
    rows = [
        _row(PLANT, p.xyxy_px, visible=round(p.visible, 3), container=p.container, world=p.world)
        for p in picture.plants
    ]
    rows += [_row(EMPTY, e.xyxy_px, container=e.container) for e in picture.empties]
    for c in picture.containers:
        xs, ys = zip(*c.polygon_px, strict=True)
        flat = [round(v, 1) for point in c.polygon_px for v in point]
        rows.append(
            _row(
                CONTAINERS[c.container_type],
                (min(xs), min(ys), max(xs), max(ys)),
                segmentation=[flat],
                world=c.world,
                plants=c.plants,
                empties=c.empties,
            )
        )
    return rows


def _row(category: int, box: tuple[float, ...], **more: object) -> dict[str, Any]:
    x0, y0, x1, y1 = (round(v, 1) for v in box)
    return {
        "category_id": category,
        "bbox": [x0, y0, round(x1 - x0, 1), round(y1 - y0, 1)],
        "area": round((x1 - x0) * (y1 - y0), 1),
        "iscrowd": 0,
        **more,
    }


def draw_tile(seed: int, side_px: int = 640) -> Scene:
    """One square to train detection on."""
    return tile(seed, side_px)


def draw_photo(seed: int, side_px: int = 0) -> Scene:
    """One whole photo; ``side_px`` is its longer side, 0 for 12 megapixels and more."""
    places = int(log_uniform(np.random.default_rng([seed, 37]), 4, 3000))
    return scene(seed, _photo_size(seed, side_px), plants=places)


def _photo_size(seed: int, side_px: int) -> tuple[int, int]:
    width, height = PHOTO_SIZES[seed % len(PHOTO_SIZES)]
    longer = max(width, height)
    share = side_px / longer if side_px else 1.0
    return round(width * share), round(height * share)


def draw_growers(seed: int, side_px: int = 0) -> Scene:
    """One photo as growers take them; ``side_px`` as for `draw_photo`."""
    return growers_photo(seed, _photo_size(seed, side_px))


def draw_bare(seed: int, side_px: int = 0) -> Scene:
    """One photo on which nothing grows; ``side_px`` as for `draw_photo`."""
    return bare_photo(seed, _photo_size(seed, side_px))


KINDS: dict[str, Callable[[int, int], Scene]] = {
    "tiles": draw_tile,
    "photos": draw_photo,
    "growers": draw_growers,
    "bare": draw_bare,
}


def write_scenes(
    out: Path, kind: str, count: int, seed: int, *, side_px: int = 0, workers: int = 1
) -> Iterator[int]:
    """Render ``count`` scenes into ``out`` and yield how many are done.

    Pictures that are there already are not rendered again, so an interrupted run goes on.
    ``coco.json`` is written last. Seeds are ``seed * 1,000,000 + number``.

    Raises:
        KeyError: the kind is none of ``KINDS``.
        ScenesRefused: the folder holds pictures of another kind, seed or size, or cannot be
            written to.
    """
    draw = KINDS[kind]
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / "truth").mkdir(exist_ok=True)
    jobs = [(out, draw.__name__, seed * 1_000_000 + n, n, side_px) for n in range(count)]
    if workers <= 1:
        for n, job in enumerate(jobs):
            _write_picture(job)
            yield n + 1
    else:
        # Not forked: a copy of a process with threads, as training and databases have, hangs.
        with ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent) as pool:
            for n, _ in enumerate(pool.map(_write_picture, jobs)):
                yield n + 1
    _write_coco(out, count)


def _end_with_parent() -> None:
    """End this worker when the command that began it is gone, or it would wait for ever.

    A killed command cannot tell its workers, and each of them holds the queue open for all.
    """
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _write_picture(job: tuple[Path, str, int, int, int]) -> None:
    out, drawer, seed, number, side_px = job
    truth = out / "truth" / f"{number:06d}.json"
    origin = {"seed": seed, "drawer": drawer, "side_px": side_px}
    if truth.exists():
        _check_same(truth, origin)
        return
    cv2.setNumThreads(1)
    draw = {f.__name__: f for f in KINDS.values()}[drawer]
    picture = draw(seed, side_px) if side_px else draw(seed)  # type: ignore[call-arg]
    file = out / "images" / f"{number:06d}.jpg"
    if not cv2.imwrite(str(file), picture.rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
        raise ScenesRefused(f"{file} cannot be written", file=str(file))
    height, width = picture.rgb.shape[:2]
    image = {
        "id": number + 1,
        "file_name": f"images/{file.name}",
        "width": width,
        "height": height,
        "kind": picture.kind,
        **origin,
    }
    part = truth.with_suffix(".part")
    part.write_text(json.dumps({"image": image, "annotations": coco_rows(picture)}))
    part.replace(truth)


def _check_same(truth: Path, origin: dict[str, Any]) -> None:
    """Of an earlier version's pictures only the seed is known."""
    image = json.loads(truth.read_text())["image"]
    others = {k: image[k] for k, v in origin.items() if k in image and image[k] != v}
    if others:
        raise ScenesRefused(
            f"{truth.parent.parent} holds other pictures ({others} instead of {origin}): "
            "name another folder",
            file=str(truth),
        )


def _write_coco(out: Path, count: int) -> None:
    images, rows = [], []
    for number in range(count):
        part = json.loads((out / "truth" / f"{number:06d}.json").read_text())
        images.append(part["image"])
        for row in part["annotations"]:
            rows.append({"id": len(rows) + 1, "image_id": number + 1, **row})
    (out / "coco.json").write_text(
        json.dumps({"images": images, "annotations": rows, "categories": CATEGORIES})
    )
