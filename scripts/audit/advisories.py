"""Known vulnerabilities, asked of those who list them; where they are not reached, that is said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Advice:
    """What was learnt of one lock; ``faults`` is ``None`` where nobody answered."""

    lock: str
    faults: tuple[str, ...] | None
    why: str = ""

    def lines(self) -> list[str]:
        """For a person."""
        if self.faults is None:
            return [f"{self.lock}: NOT LOOKED AT, the service is out of reach ({self.why})"]
        note = f" ({self.why})" if self.why else ""
        none = [f"{self.lock}: no fault is known{note}"]
        return [f"{self.lock}: {fault}" for fault in self.faults] or none


def advice(root: Path) -> list[Advice]:
    """Of the shipped Python packages and of the pages' packages."""
    return [_of_python(root / "requirements.lock"), _of_npm(root / "frontend")]


def _of_python(lock: Path) -> Advice:
    # The locks have hashes, so nothing is installed or resolved to learn what is meant.
    tool = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    asked = ["--progress-spinner=off", "--format=json", "--requirement", str(lock)]
    said = _run([*tool, *asked], lock.parent)
    try:
        packages = json.loads(said.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Advice(lock.name, None, _last_line(said.stderr))
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if len(skipped) == len(packages):  # a list without any of them is no list that was read
        return Advice(lock.name, None, packages[0]["skip_reason"] if packages else "no package")
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {fault['fix_versions']}"
        for one in packages
        for fault in one.get("vulns", [])
    ]
    return Advice(lock.name, tuple(faults), f"{len(skipped)} are not listed" if skipped else "")


def _of_npm(frontend: Path) -> Advice:
    npm = [sys.executable, str(frontend.parent / "scripts" / "setup" / "npm.py")]
    said = _run([*npm, "--silent", "audit", "--json"], frontend)
    try:
        report = json.loads(said.stdout[said.stdout.index("{") :])
    except ValueError:
        return Advice("package-lock.json", None, _last_line(said.stderr or said.stdout))
    if "vulnerabilities" not in report:
        return Advice("package-lock.json", None, report.get("message", "no list came back"))
    found = sorted(report["vulnerabilities"].items())
    faults = [f"{name}: {facts['severity']}" for name, facts in found]
    return Advice("package-lock.json", tuple(faults))


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer in {PATIENCE_S} s")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]
