"""The loop from zero: plants that the shipped model does not know well, and what it is taught.

    python -m benchmarks.loop [--photos 20] [--steps 300] [--judged 20]
    python -m benchmarks.loop --marked FOLDER [--learnt 6] [--seed 0] [--steps 300]

On a database of its own: photos are counted, corrected through the API as a person would mark
them, learnt from by `demeter train --from accepted`, judged on the held-out locations by
`demeter models promote`, and the taught model is compared with the shipped one on photos that
nobody here has corrected. The photos are drawn, of strings of pearls, which no model was ever
shown; or those of a marked FOLDER, as `demeter evaluate` takes it: so many of them are learnt
from, and the others are held out. Wants PyTorch (`demeter[train]`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np

from demeter.learning.splits import is_held_out
from demeter.vision.coco_categories import CATEGORIES, PLANT
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.labels import read_marks
from demeter.vision.metrics.marks import MarkedPhoto, discs_of
from demeter.vision.metrics.matching import match_detections
from demeter.vision.metrics.pictures import read_upright
from demeter_training.scenes import Scene, scene
from demeter_training.scenes.export import coco_rows
from demeter_training.scenes.species import UNSEEN

SIZE_WH, PORT, HELD_OUT_SHARE = (2000, 1500), 8907, 0.3
KINDS = ("bed", "pots", "box")
FIRST, FIRST_JUDGED = 31_000, 32_000
LOCATIONS = """
INSERT INTO storage_locations
    (storage_area_id, code, qr_code, name, location_type, geojson_coordinates, framed_whole)
SELECT a.storage_area_id, c.code, 'DEMETER:' || c.code, c.code, 'bench',
       ST_MakeEnvelope(-68.8588, -32.9000, -68.8580, -32.8998, 4326), :framed_whole
FROM storage_areas a, unnest(CAST(:codes AS text[])) AS c (code) WHERE a.code = 'DEMO-C';
INSERT INTO storage_location_config (storage_location_id, product_id, expected_product_state_id)
SELECT l.location_id, p.id, s.product_state_id
FROM storage_locations l, products p, product_states s
WHERE l.code = ANY(CAST(:codes AS text[])) AND p.code = 'DEMO-MAMMILLARIA' AND s.name = 'ADULT'
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A photo and the boxes [n, 4] of its plants; whether it is learnt from or judged on."""

    file: Path
    boxes: np.ndarray
    size_wh: tuple[int, int]
    is_learnt: bool


@dataclass(frozen=True, slots=True)
class Nursery:
    """A home of its own, in which every command runs."""

    home: Path
    environment: dict[str, str]
    token: str = ""

    def says(self, *command: str, may_refuse: bool = False) -> str:
        """What a command of `demeter` prints.

        Raises:
            RuntimeError: it failed and may not; with what it printed.
        """
        run = subprocess.run(
            [sys.executable, "-m", "demeter", *command],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode and not may_refuse:
            raise RuntimeError(f"demeter {' '.join(command)}: {run.stdout}{run.stderr}")
        return run.stdout + run.stderr * may_refuse

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """GET, or POST where there is a body."""
        url = f"http://127.0.0.1:{PORT}/api/v1/photos/sessions/{path}"
        headers = {"content-type": "application/json", "idempotency-key": str(uuid4())}
        headers["authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--judged", type=int, default=20)
    parser.add_argument("--marked", type=Path, help="a folder of marked photos instead")
    parser.add_argument("--learnt", type=int, default=6, help="so many of the marked ones")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    marked = None if options.marked is None else options.marked.absolute()
    with tempfile.TemporaryDirectory() as scratch, _running(Path(scratch)) as running:
        nursery = running
        began = time.monotonic()
        if marked is None:
            examples = _draw(nursery.home, options.photos)
            judged = _judged_drawn(nursery.home, options.judged)
        else:
            examples = _choose(marked, options.learnt, options.seed)
            judged = _judged_marked(nursery.home, examples)
        codes = _codes([example.is_learnt for example in examples])
        _plant(codes, framed_whole=marked is not None)
        made = nursery.says("tokens", "create", "--user", "demo-elena", "--json")
        nursery = replace(nursery, token=json.loads(made)["token"])
        corrections = [
            _count_and_correct(nursery, example, code)
            for example, code in zip(examples, codes, strict=True)
        ]
        corrected = time.monotonic()
        print(f"corrections: {_sums(corrections)}; {(corrected - began) / 60:.1f} min", flush=True)
        steps, threads = str(options.steps), str(options.threads)
        nursery.says("train", "detect", "--from", "accepted", "--out", "taught.onnx",
                     "--steps", steps, "--threads", threads)  # fmt: skip
        trained = time.monotonic()
        print(f"training: {options.steps} steps, {(trained - corrected) / 60:.1f} min", flush=True)
        nursery.says("models", "add", "taught.onnx", "--licence", "own")
        compare = ("models", "compare", "shipped", "taught", str(judged), "--json")
        print(f"unseen photos: {_figures(json.loads(nursery.says(*compare)))}", flush=True)
        print(nursery.says("models", "promote", "taught", may_refuse=True), flush=True)
        done = time.monotonic()
        print(f"comparing and promoting: {(done - trained) / 60:.1f} min; all {done - began:.0f} s")


@contextmanager
def _running(home: Path) -> Iterator[Nursery]:
    """Web and workers on a home of their own, until the block ends."""
    environment = os.environ | {
        "DEMETER_HOME": str(home / "demeter"),
        "DEMETER_PORT": str(PORT),
        "DEMETER_HELD_OUT_SHARE": str(HELD_OUT_SHARE),
        "DEMETER_BLIND_SHARE": "0",
    }
    environment.pop("DEMETER_DATABASE_URL", None)
    os.environ.update(environment)
    with (home / "up.log").open("w") as log:
        command = [sys.executable, "-m", "demeter", "up"]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(server, home / "up.log")
            yield Nursery(home, environment)
        finally:
            server.terminate()
            server.wait(60)


def _wait(server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            raise RuntimeError(f"demeter up ended: {log.read_text()[-3000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"demeter up does not answer: {log.read_text()[-3000:]}")


def _codes(learnt: list[bool]) -> list[str]:
    """The code of a location of its own for each photo, on the side that it is for."""
    left = {side: learnt.count(side) for side in (True, False)}
    codes: dict[bool, list[str]] = {True: [], False: []}
    number = 0
    while any(left.values()):
        code = f"LOOP-{number}"
        side = not is_held_out(code, HELD_OUT_SHARE)
        if left[side]:
            left[side] -= 1
            codes[side].append(code)
        number += 1
    return [codes[side].pop(0) for side in learnt]


def _plant(codes: list[str], *, framed_whole: bool) -> None:
    from sqlalchemy import text  # noqa: PLC0415 - settings are read when first asked for

    from demeter.core.db import transaction  # noqa: PLC0415
    from demeter.demo.load import load_nursery  # noqa: PLC0415

    with transaction() as session:
        load_nursery(session)
        for statement in LOCATIONS.split(";"):
            values = {"codes": codes, "framed_whole": framed_whole}
            names = [name for name in values if f":{name}" in statement]
            session.execute(text(statement), {name: values[name] for name in names})


def _picture(seed: int) -> Scene:
    kind = KINDS[seed % len(KINDS)]
    return scene(seed, SIZE_WH, kind=kind, plants=12 + 7 * (seed % 7), species=UNSEEN)


def _draw(home: Path, photos: int) -> list[Example]:
    """Drawn photos; the set share of them is held out."""
    held_out = round(photos * HELD_OUT_SHARE)
    examples = []
    for number in range(photos):
        drawn = _picture(FIRST + number)
        file = home / f"{number}.jpg"
        cv2.imwrite(str(file), np.ascontiguousarray(drawn.rgb[..., ::-1]))
        boxes = np.array([p.xyxy_px for p in drawn.plants]).reshape(-1, 4)
        examples.append(Example(file, boxes, SIZE_WH, is_learnt=number >= held_out))
    return examples


def _choose(folder: Path, learnt: int, seed: int) -> list[Example]:
    """The marked photos that show plants, so many of them to be learnt from."""
    photos = [marked for marked in read_marks(folder) if len(marked.plants)]
    chosen = set(np.random.default_rng(seed).permutation(len(photos))[:learnt].tolist())
    print("learnt from:", ", ".join(photos[k].file.name for k in sorted(chosen)), flush=True)
    return [
        Example(marked.file, _boxes(marked), marked.size_wh, is_learnt=k in chosen)
        for k, marked in enumerate(photos)
    ]


def _boxes(marked: MarkedPhoto) -> np.ndarray:
    if marked.boxes is not None:
        return marked.boxes
    x, y, radius = marked.plants.T
    return np.column_stack([x - radius, y - radius, x + radius, y + radius])


def _count_and_correct(nursery: Nursery, example: Example, code: str) -> dict[str, int]:
    """One photo on its way into the ledger, and a person's marks on it; how many there were."""
    file, truth = str(example.file), example.boxes
    command = ("photos", "add", file, "--location", code, "--wait", "--json")
    said = nursery.says(*command, may_refuse=True)  # one that waits for a person has not failed
    added, _ = json.JSONDecoder().raw_decode(said, said.index("{"))
    session_id = added["session_id"]
    before = nursery.ask(f"{session_id}/corrections")
    marks = [m for m in before["marks"] if not m["is_empty_container"]]
    boxes = np.array([m["box"] for m in marks], np.float64).reshape(-1, 4)
    sure = np.array([m["confidence"] or 1.0 for m in marks])
    hits = match_detections(boxes, sure, discs_of(truth), IgnoredRegions()).mark_of
    wrong = [m["detection_id"] for m, k in zip(marks, hits, strict=True) if k < 0]
    missed = [b for k, b in enumerate(truth) if k not in hits]
    (image_row,) = nursery.ask(f"{session_id}/detections")
    within = [np.clip(b, 0, (*example.size_wh, *example.size_wh)) for b in missed]
    added_marks = [_mark(box, image_row["containers"]) for box in within]
    nursery.ask(f"{session_id}/corrections", {"add": added_marks, "remove": wrong, "accept": True})
    after = nursery.ask(f"{session_id}/corrections")
    plants = [m for m in after["marks"] if not (m["removed"] or m["is_empty_container"])]
    numbers = {c["index"]: 0 for c in after["containers"]}
    for mark in plants:
        numbers[mark["container_index"]] += 1
    plants_by_container = [{"index": k, "plants": v} for k, v in sorted(numbers.items())]
    nursery.ask(f"{session_id}/corrections", {"containers": plants_by_container})
    return {
        "plants": len(truth),
        "machine": sum(c["machine_detected"] or 0 for c in before["containers"]),
        "removed": len(wrong),
        "added": len(missed),
        "posted": int(nursery.ask(session_id)["status"] == "completed"),
    }


def _mark(box: np.ndarray, containers: list[dict[str, Any]]) -> dict[str, Any]:
    """A plant that was missed, in the container that holds it or, where none does, is nearest."""
    middle = (float(box[0::2].mean()), float(box[1::2].mean()))
    depths = [
        cv2.pointPolygonTest(np.array(c["polygon"], np.float32), middle, measureDist=True)
        for c in containers
    ]
    nearest = containers[int(np.argmax(depths))]["index"]
    return {"box": [float(v) for v in box], "container_index": nearest}


def _sums(rows: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in rows[0]}


def _judged_drawn(home: Path, photos: int) -> Path:
    """A folder of drawn photos that nobody corrects."""
    examples = []
    for number in range(photos):
        drawn = _picture(FIRST_JUDGED + number)
        examples.append((drawn.rgb, coco_rows(drawn)))
    return _as_coco(home / "judged", examples)


def _judged_marked(home: Path, examples: list[Example]) -> Path:
    """A folder of the marked photos that are not learnt from."""
    plants = {"category_id": PLANT, "iscrowd": 0}
    judged = []
    for example in examples:
        if example.is_learnt:
            continue
        rows = [
            plants | {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
            for x1, y1, x2, y2 in example.boxes.tolist()
        ]
        judged.append((read_upright(example.file), rows))
    return _as_coco(home / "judged", judged)


def _as_coco(folder: Path, photos: list[tuple[np.ndarray, list[dict[str, Any]]]]) -> Path:
    (folder / "images").mkdir(parents=True)
    images, rows = [], []
    for number, (rgb, marks) in enumerate(photos, start=1):
        name = f"images/{number}.png"
        cv2.imwrite(str(folder / name), np.ascontiguousarray(rgb[..., ::-1]))
        size = {"width": rgb.shape[1], "height": rgb.shape[0]}
        images.append({"id": number, "file_name": name} | size)
        rows += [{"image_id": number} | row for row in marks]
    rows = [{"id": k} | row for k, row in enumerate(rows, start=1)]
    body = {"images": images, "annotations": rows, "categories": CATEGORIES}
    (folder / "coco.json").write_text(json.dumps(body))
    return folder


def _figures(comparison: dict[str, Any]) -> str:
    lines = []
    for name in ("f1", "mape"):
        d = comparison["figures"][name] if "figures" in comparison else comparison[name]
        lines.append(
            f"{name} {d['incumbent']:.3f} before, {d['candidate']:.3f} after "
            f"(95 % of the difference: {d['low']:+.3f} to {d['high']:+.3f})"
        )
    return ", ".join(lines)


if __name__ == "__main__":
    main()
