"""``python -m harness --seed 1 --runs 300``: as many runs, one after the other; resumable."""

from __future__ import annotations

import argparse
import fcntl
import json
import signal
import sys
import time
from pathlib import Path

from harness.ground import ground_in
from harness.plan import KINDS, draw
from harness.run import Runs
from harness.table import print_table, say

FOLDER = Path("runs/faults")


def main() -> int:
    """Make the runs that are not made yet; the exit status is 1 if something did not hold."""
    asked = _arguments()
    folder: Path = asked.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.jsonl"
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"Another loop works in {folder}.")
        return 2
    kinds = tuple(asked.only.split(",")) if asked.only else KINDS
    seeds = range(asked.seed, asked.seed + asked.runs)
    made = {} if asked.again else _made(results, asked.only)
    end = time.monotonic() + asked.minutes * 60
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left running
    runs = Runs(folder, ground_in(folder))
    try:
        for seed in seeds:
            if seed in made:
                continue
            if time.monotonic() > end:
                say(f"{asked.minutes} minutes are over; the same command goes on from here.")
                break
            plan = draw(seed, kinds)
            say(f"seed {seed}: {'; '.join(map(str, plan.faults))}")
            result = runs.make(plan)
            made[seed] = result.as_json() | {"only": asked.only}
            with results.open("a") as file:
                file.write(json.dumps(made[seed], default=str) + "\n")
            _tell(made[seed], asked.only)
    finally:
        runs.close()
    made = {seed: made[seed] for seed in seeds if seed in made}
    print_table(list(made.values()))
    return int(any(result["findings"] for result in made.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harness", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=100, help="no run begins after them")
    parser.add_argument("--only", help=f"kinds of fault, with commas: {', '.join(KINDS)}")
    parser.add_argument("--again", action="store_true", help="also what was made already")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    return parser.parse_args()


def _made(results: Path, only: str | None) -> dict[int, dict]:
    """What is made already, by its seed; a seed draws another run where kinds are chosen."""
    if not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    return {line["seed"]: line for line in lines if line["only"] == only}


def _tell(result: dict, only: str | None) -> None:
    recovery = result["recovery_s"]
    words = "never" if recovery is None else f"{recovery:.1f} s"
    say(f"    recovered: {words}; {result['accepted']} photos; {result['wall_s']:.0f} s in all")
    if result["fired"]:
        say(f"    died at: {', '.join(result['fired'])}")
    if result["left_out"]:
        say(f"    not made: {result['left_out']}")
    for finding in result["findings"]:
        say(f"    {finding['kind']}: {finding['text']}"[:400])
    if result["findings"]:
        more = f" ONLY={only}" if only else ""
        say(f"    again: make faults SEED={result['seed']} RUNS=1 AGAIN=1{more}")


if __name__ == "__main__":
    sys.exit(main())
