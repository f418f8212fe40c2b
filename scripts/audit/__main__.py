"""`make audit`: secrets, licences, the bill of materials, and known vulnerabilities.

All but the last needs no network, and is part of the tests (``--offline``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import advisories
import bill
import leaks
import licences
import locks

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Say what was looked at and found; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="audit", description=__doc__)
    parser.add_argument("--offline", action="store_true", help="ask nobody about vulnerabilities")
    parser.add_argument("--bill", type=Path, default=ROOT / "build" / "demeter.cdx.json")
    asked = parser.parse_args()
    packages = locks.packages(ROOT)
    faults = [*leaks.leaks(ROOT), *licences.faults(packages)]
    asked.bill.parent.mkdir(parents=True, exist_ok=True)
    asked.bill.write_text(bill.bill(ROOT, packages) + "\n")
    shipped = sum(package.is_shipped for package in packages)
    print(f"{len(packages)} packages, {shipped} of them shipped: {asked.bill}")
    if not asked.offline:
        for one in advisories.advice(ROOT):
            print("\n".join(one.lines()))
            faults += one.lines() if one.faults else []
    print("\n".join(faults) or "No secret is committed, and every licence is allowed.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
