"""Runs in a table: by fault, what was lost, doubled, stuck, and the longest recovery."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

COLUMNS = (
    "runs",
    "not made",
    "lost",
    "doubled",
    "stuck",
    "late",
    "half",
    "wrong",
    "unclear",
    "longest",
)


def say(line: str) -> None:
    """A line for the person, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def print_table(results: list[dict[str, Any]]) -> None:
    """On standard output; a run with two faults stands in both rows."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        for fault in result["faults"]:
            rows[fault.split()[0]].append(result)
    say(f"{'fault':<16}" + "".join(f"{name:>9}" for name in COLUMNS))
    for name in sorted(rows):
        say(_line(name, rows[name]))
    say(_line("all runs", results))
    steps = {step for result in results for step in result["fired"]}
    photos = sum(result["accepted"] for result in results)
    deaths = sum(len(result["fired"]) for result in results)
    say(f"{photos} photos accepted; {deaths} deaths at {len(steps)} different steps")


def _line(name: str, results: list[dict[str, Any]]) -> str:
    made = [result for result in results if not result["left_out"]]
    kinds = [{finding["kind"] for finding in result["findings"]} for result in made]
    figures = [len(made), len(results) - len(made)]
    figures += [sum(column in found for found in kinds) for column in COLUMNS[2:-1]]
    recoveries = [r["recovery_s"] for r in made if r["recovery_s"] is not None]
    longest = f"{max(recoveries):.1f} s" if recoveries else "—"
    return f"{name:<16}" + "".join(f"{figure:>9}" for figure in figures) + f"{longest:>9}"
