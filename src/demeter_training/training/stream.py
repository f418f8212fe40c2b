"""Scenes that are rendered while networks learn from them, and the batches drawn from them.

Renderers write numbered pictures into a folder; loaders look there now and then for new ones.
Of the numbers, every `HELD_OUT`-th is kept from training.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from demeter_training.scenes.compose import tile
from demeter_training.scenes.export import draw_photo
from demeter_training.scenes.growers_views import bare_photo, growers_photo
from demeter_training.scenes.values import Bytes, Scene
from demeter_training.training.judge import JudgedPicture, judged_square
from demeter_training.training.segment import (
    DRAWN_POWER,
    OutlinedPicture,
    random_view,
)
from demeter_training.training.segmenter import TYPES
from demeter_training.training.tiles import (
    MIN_VISIBLE,
    LabelledPicture,
    PictureCache,
    crop,
    showable_pictures,
)

HELD_OUT = 23  # has no divisor of the kinds' number, so all kinds are among those
KINDS = (
    "photo",
    "growers",
    "tile",
    "bare",
    "growers",
    "photo",
    "growers",
    "bare",
    "growers",
    "tile",
)
# How often a picture of each kind is drawn, by task.
SHARES = {
    "detect": {"photo": 0.3, "growers": 0.4, "tile": 0.16, "bare": 0.14},
    "segment": {"photo": 0.45, "growers": 0.45, "tile": 0.0, "bare": 0.1},
    "judge": {"photo": 0.17, "growers": 0.28, "tile": 0.1, "bare": 0.45},
}
LOOK_EVERY_S = 12.0


@dataclass(frozen=True, slots=True)
class Clock:
    """When a training began and how long it may take, in seconds; ``share`` is what is over."""

    start: float
    seconds: float

    def share(self) -> float:
        """0 at the start, 1 at the end and after."""
        return min(1.0, max(0.0, (time.time() - self.start) / self.seconds))


def say(*parts: object) -> None:
    """A line of what is going on, at once."""
    sys.stdout.write(" ".join(map(str, parts)) + "\n")
    sys.stdout.flush()


def draw_scene(seed: int, number: int, shrink: float = 1.0) -> tuple[str, Scene]:
    """The numbered scene of a seed and its kind; ``shrink`` makes its sides shorter."""
    kind, own = KINDS[number % len(KINDS)], seed * 1_000_000 + number
    rng = np.random.default_rng([own, 73])
    long = int(rng.uniform(1100, 2000) * shrink)
    size = (long, int(long * 0.75)) if rng.random() < 0.7 else (int(long * 0.75), long)  # noqa: PLR2004
    if kind == "tile":
        return kind, tile(own, int(512 * shrink))
    if kind == "photo":
        return kind, draw_photo(own, long)
    return kind, (growers_photo if kind == "growers" else bare_photo)(own, size)


def render_into(
    folder: Path, seed: int, first: int, step: int, until: float, shrink: float
) -> None:
    """Render every ``step``-th scene from ``first`` until a time; pictures appear whole."""
    cv2.setNumThreads(1)
    os.nice(2)
    number = first
    while time.time() < until:
        try:
            kind, scene = draw_scene(seed, number, shrink)
        except Exception as error:  # noqa: BLE001 - one scene less
            say("scene", number, type(error).__name__, error)
            number += step
            continue
        picture = folder / f"{number:06d}.npy"
        np.save(picture, np.ascontiguousarray(scene.rgb[..., ::-1]))
        part = folder / f"{number:06d}.part"
        part.write_bytes(pickle.dumps(_truth_of(scene, kind, number)))
        part.replace(folder / f"{number:06d}.truth")
        number += step


def _truth_of(scene: Scene, kind: str, number: int) -> dict[str, Any]:
    plants = np.array([p.xyxy_px for p in scene.plants], np.float32).reshape(-1, 4)
    seen = np.array([p.visible >= MIN_VISIBLE for p in scene.plants], bool)
    empties = np.array([e.xyxy_px for e in scene.empties], np.float32).reshape(-1, 4)
    return {
        "kind": kind,
        "number": number,
        "plants": plants,
        "seen": seen,
        "boxes": np.concatenate([plants[seen], empties]),
        "classes": np.array([0] * int(seen.sum()) + [1] * len(empties), np.int64),
        "polygons": tuple(
            (TYPES.index(c.container_type.value), np.array(c.polygon_px, np.float32))
            for c in scene.containers
        ),
    }


class SharedPictures(PictureCache):
    """Pictures that lie in memory for all processes."""

    def read(self, path: Path) -> Bytes:
        """One picture, mapped."""
        return np.load(path, mmap_mode="r")


class Drawer:
    """Draws samples for one task from what is in the folder by now."""

    def __init__(self, folder: Path, task: str, held_out: bool = False) -> None:
        self._folder, self._task, self._held_out = folder, task, held_out
        self._known: set[str] = set()
        self._items: dict[str, list[Any]] = {k: [] for k in set(KINDS)}
        self._weights: dict[str, list[float]] = {k: [] for k in set(KINDS)}
        self._chances: dict[str, Any] = {}
        self._looked = 0.0
        self.pictures = SharedPictures()

    def look(self) -> int:
        """Take in new pictures now and then; how many there are."""
        if time.time() - self._looked > LOOK_EVERY_S:
            for file in sorted(self._folder.glob("*.truth")):
                if file.name not in self._known:
                    self._known.add(file.name)
                    self._take(file)
            self._looked = time.time()
            self._chances = {k: np.array(w) / sum(w) for k, w in self._weights.items() if w}
        return sum(map(len, self._items.values()))

    def _take(self, file: Path) -> None:
        truth = pickle.loads(file.read_bytes())  # noqa: S301 - written by `render_into`
        if (truth["number"] % HELD_OUT == 0) is not self._held_out:
            return
        path, weight = file.with_suffix(".npy"), 1.0
        if self._task == "detect":
            item: Any = LabelledPicture(path, truth["boxes"], truth["classes"])
            try:
                showable_pictures([item])
            except Exception:  # noqa: BLE001 - plants too small to be shown
                return
        elif self._task == "segment":
            item = OutlinedPicture(path, truth["polygons"])
            weight = max(1, len(truth["polygons"])) ** DRAWN_POWER
        else:
            item = JudgedPicture(path, truth["plants"], truth["seen"])
        self._items[truth["kind"]].append(item)
        self._weights[truth["kind"]].append(weight)

    def kind(self, rng: np.random.Generator) -> str:
        """A kind of picture, as often as the task wants it."""
        there = [k for k, s in SHARES[self._task].items() if s and self._items[k]]
        shares = np.array([SHARES[self._task][k] for k in there])
        return there[int(rng.choice(len(there), p=shares / shares.sum()))]

    def sample(self, rng: np.random.Generator, side: int) -> Any:
        """One sample: a square with its boxes, a view with its maps, or a square and a label."""
        while True:
            kind = self.kind(rng)
            items = self._items[kind]
            if self._task == "detect":
                return crop(rng, self.pictures, items, side)
            item = items[int(rng.choice(len(items), p=self._chances[kind]))]
            if self._task == "segment":
                return random_view(rng, self.pictures.read(item.path), item, side)
            square = judged_square(rng, self.pictures, item)
            if square is not None:
                return square


def pack(task: str, samples: list[Any]) -> tuple[Any, ...]:
    """Samples as arrays: pictures [N, S, S, 3] first."""
    if task == "detect":
        return (
            np.stack([s.bgr for s in samples]),
            [s.boxes for s in samples],
            [s.classes for s in samples],
        )
    return tuple(np.stack(column) for column in zip(*samples, strict=True))


def load_batches(
    folder: Path, task: str, queue: Any, seed: int, batch: int, clock: Clock, fewest: int
) -> None:
    """Put batches on the queue until the clock is over."""
    cv2.setNumThreads(1)
    rng, drawer = np.random.default_rng([seed, 79]), Drawer(folder, task)
    while drawer.look() < fewest and clock.share() < 1:
        time.sleep(1)
        drawer._looked = 0.0  # noqa: SLF001 - nothing is there yet
    faults = 0
    while clock.share() < 1:
        drawer.look()
        side = side_for(task, clock.share())
        try:
            samples = [drawer.sample(rng, side) for _ in range(batch)]
        except (ValueError, cv2.error, OSError) as error:
            faults += 1
            if faults < 4:  # noqa: PLR2004
                say("sample", task, type(error).__name__, error)
            continue
        queue.put(pack(task, samples))


def side_for(task: str, share: float) -> int:
    """The side of the squares that a task learns from when ``share`` of its time is over."""
    if task == "segment":
        return 512 if share > 0.7 else 384  # noqa: PLR2004
    return 256 if task == "detect" else 224
