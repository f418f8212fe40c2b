"""The loop from zero: a kind of plant that the shipped model never learnt, and what it is taught.

    python -m benchmarks.loop [--photos 20] [--steps 300] [--judged 20]

On a database of its own: photos of strings of pearls are counted, corrected through the API as a
person would mark them, learnt from by `demeter train --from accepted`, judged on the held-out
locations by `demeter models promote`, and the promoted model is compared with the shipped one
on photos that nobody here has seen. Wants PyTorch (`demeter[train]`).
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np

from demeter.learning.splits import is_held_out
from demeter.vision.coco_categories import CATEGORIES
from demeter.vision.metrics.ignored_regions import IgnoredRegions
from demeter.vision.metrics.marks import discs_of
from demeter.vision.metrics.matching import match_detections
from demeter_training.scenes import Scene, scene
from demeter_training.scenes.export import coco_rows
from demeter_training.scenes.species import UNSEEN

SIZE_WH, PORT, HELD_OUT_SHARE = (2000, 1500), 8907, 0.3
KINDS = ("bed", "pots", "box")
FIRST, FIRST_JUDGED = 31_000, 32_000
LOCATIONS = """
INSERT INTO storage_locations
    (storage_area_id, code, qr_code, name, location_type, geojson_coordinates)
SELECT a.storage_area_id, c.code, 'DEMETER:' || c.code, c.code, 'bench',
       ST_MakeEnvelope(-68.8588, -32.9000, -68.8580, -32.8998, 4326)
FROM storage_areas a, unnest(CAST(:codes AS text[])) AS c (code) WHERE a.code = 'DEMO-C';
INSERT INTO storage_location_config (storage_location_id, product_id, expected_product_state_id)
SELECT l.location_id, p.id, s.product_state_id
FROM storage_locations l, products p, product_states s
WHERE l.code = ANY(CAST(:codes AS text[])) AND p.code = 'DEMO-MAMMILLARIA' AND s.name = 'ADULT'
"""


@dataclass(frozen=True, slots=True)
class Nursery:
    """A home of its own, in which every command runs."""

    home: Path
    environment: dict[str, str]

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
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--judged", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, _running(Path(scratch)) as nursery:
        began = time.monotonic()
        codes = _codes(options.photos)
        _plant(nursery, codes)
        corrections = [_count_and_correct(nursery, n, code) for n, code in enumerate(codes)]
        corrected = time.monotonic()
        print(f"corrections: {_sums(corrections)}; {(corrected - began) / 60:.1f} min", flush=True)
        steps, threads = str(options.steps), str(options.threads)
        nursery.says("train", "detect", "--from", "accepted", "--out", "taught.onnx",
                     "--steps", steps, "--threads", threads)  # fmt: skip
        trained = time.monotonic()
        print(f"training: {options.steps} steps, {(trained - corrected) / 60:.1f} min", flush=True)
        nursery.says("models", "add", "taught.onnx", "--licence", "own")
        comparison = _compare_models(nursery, options.judged)
        print(f"unseen photos: {_figures(comparison)}", flush=True)
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


def _codes(photos: int) -> list[str]:
    """Codes of one location a photo, the set share of them held out by their hashes."""
    held_out = round(photos * HELD_OUT_SHARE)
    missing = {True: held_out, False: photos - held_out}
    codes = []
    for number in range(10_000):
        code = f"LOOP-{number}"
        side = is_held_out(code, HELD_OUT_SHARE)
        if missing[side]:
            missing[side] -= 1
            codes.append(code)
    return codes


def _plant(nursery: Nursery, codes: list[str]) -> None:
    del nursery  # its database is that of this process' settings
    from sqlalchemy import text  # noqa: PLC0415 - settings are read when first asked for

    from demeter.core.db import transaction  # noqa: PLC0415
    from demeter.demo.load import load_nursery  # noqa: PLC0415

    with transaction() as session:
        load_nursery(session)
        for statement in LOCATIONS.split(";"):
            session.execute(text(statement), {"codes": codes})


def _picture(seed: int) -> Scene:
    kind = KINDS[seed % len(KINDS)]
    return scene(seed, SIZE_WH, kind=kind, plants=12 + 7 * (seed % 7), species=UNSEEN)


def _count_and_correct(nursery: Nursery, number: int, code: str) -> dict[str, int]:
    """One photo on its way into the ledger, and a person's marks on it; how many there were."""
    drawn = _picture(FIRST + number)
    file = nursery.home / f"{number}.jpg"
    cv2.imwrite(str(file), np.ascontiguousarray(drawn.rgb[..., ::-1]))
    added = json.loads(
        nursery.says("photos", "add", str(file), "--location", code, "--wait", "--json")
    )
    session_id = added["session_id"]
    truth = np.array([p.xyxy_px for p in drawn.plants]).reshape(-1, 4)
    before = nursery.ask(f"{session_id}/corrections")
    marks = [m for m in before["marks"] if not m["is_empty_container"]]
    boxes = np.array([m["box"] for m in marks], np.float64).reshape(-1, 4)
    sure = np.array([m["confidence"] or 1.0 for m in marks])
    hits = match_detections(boxes, sure, discs_of(truth), IgnoredRegions()).mark_of
    wrong = [m["detection_id"] for m, k in zip(marks, hits, strict=True) if k < 0]
    missed = [b for k, b in enumerate(truth) if k not in hits]
    (image_row,) = nursery.ask(f"{session_id}/detections")
    added_marks = [_mark(_within(b), image_row["containers"]) for b in missed]
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


def _within(box: np.ndarray) -> np.ndarray:
    return np.clip(box, 0, (*SIZE_WH, *SIZE_WH))


def _sums(rows: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in rows[0]}


def _compare_models(nursery: Nursery, photos: int) -> dict[str, Any]:
    """Shipped against taught on photos of the kind that nobody has corrected."""
    folder = nursery.home / "judged"
    (folder / "images").mkdir(parents=True)
    images, rows = [], []
    for number in range(photos):
        drawn = _picture(FIRST_JUDGED + number)
        name = f"images/{number}.jpg"
        cv2.imwrite(str(folder / name), np.ascontiguousarray(drawn.rgb[..., ::-1]))
        size = {"width": SIZE_WH[0], "height": SIZE_WH[1]}
        images.append({"id": number + 1, "file_name": name} | size)
        rows += [{"image_id": number + 1} | row for row in coco_rows(drawn)]
    rows = [{"id": k} | row for k, row in enumerate(rows, start=1)]
    body = {"images": images, "annotations": rows, "categories": CATEGORIES}
    (folder / "coco.json").write_text(json.dumps(body))
    return json.loads(nursery.says("models", "compare", "shipped", "taught", str(folder), "--json"))


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
