"""One row of `vision_speed`, run by an environment that has SAHI and not Demeter.

python vision_sahi.py PICTURE THREADS [WEIGHTS]; 0 threads leaves them as installed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

RUNS = 3
SLICE_PX = 640


def main() -> None:
    picture, threads, weights = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    from sahi import AutoDetectionModel  # noqa: PLC0415 - is only there in that environment
    from sahi.predict import get_sliced_prediction  # noqa: PLC0415

    model = AutoDetectionModel.from_pretrained(
        model_type="ultralytics",
        model_path=weights or str(_untrained()),
        confidence_threshold=0.35,
        device="cpu",
        image_size=SLICE_PX,  # otherwise weights trained on smaller pictures are shown smaller ones
    )

    def run():  # noqa: ANN202
        if threads:
            import torch  # noqa: PLC0415

            torch.set_num_threads(threads)
        return get_sliced_prediction(
            picture,
            model,
            slice_height=SLICE_PX,
            slice_width=SLICE_PX,
            overlap_height_ratio=0.2,
            overlap_width_ratio=0.2,
            verbose=0,
        )

    prediction, seconds = run(), []
    for _ in range(RUNS):
        start = time.perf_counter()
        prediction = run()
        seconds.append(time.perf_counter() - start)
    boxes = [o.bbox.to_xyxy() for o in prediction.object_prediction_list]
    confidence = [float(o.score.value) for o in prediction.object_prediction_list]
    peak_mb = _peak_mb()
    row = {"seconds": min(seconds), "peak_mb": peak_mb, "boxes": boxes, "confidence": confidence}
    print(json.dumps(row))


def _untrained() -> Path:
    """YOLO11n as its configuration makes it, never trained."""
    from ultralytics import YOLO  # noqa: PLC0415

    path = Path(tempfile.mkdtemp(), "yolo11n.pt")
    YOLO("yolo11n.yaml").save(path)
    return path


def _peak_mb() -> float:
    """Peak memory of this process alone: ``ru_maxrss`` begins with that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
