"""Measure the ledger at a nursery's size and at a tenth of it.

    python benchmarks/ledger.py --home /tmp/bench --places 1290 --years 5

makes the years in a database of its own under ``--home`` (once; later runs find them there),
then times `demeter verify` and the queries that pages and reports ask.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.checks import references, run
from demeter.core.db import engine, migrate, transaction
from demeter.counts.checks import COUNTS
from demeter.demo import years as made_up
from demeter.periods import queries as period_queries
from demeter.periods import service
from demeter.periods.checks import CLOSINGS
from demeter.stock import batch_history, queries
from demeter.stock.checks import LOTS, MOVES
from demeter.stock.on_hand import StockFilter, stock_by
from demeter.stock.schemas import Level


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("/tmp/demeter-bench"))
    parser.add_argument("--places", type=int, default=1_290)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=100)
    options = parser.parse_args()
    os.environ["DEMETER_HOME"] = str(options.home / str(options.places))
    Path(os.environ["DEMETER_HOME"]).mkdir(parents=True, exist_ok=True)

    migrate(engine())
    _load(options.places, options.years)
    _sizes()
    _verify()
    _queries(options.repeats)


def _load(places: int, years: int) -> None:
    started = time.monotonic()
    try:
        with transaction() as session:
            made_up.load_years(session, years, places=places)
    except made_up.YearsLoaded:
        print("the years are there already")
        return
    print(f"load: {time.monotonic() - started:.1f} s")
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum does in time


def _sizes() -> None:
    with transaction() as session:
        for table in ("storage_locations", "stock_batches", "counts", "stock_movements"):
            print(f"{table}: {session.scalar(text(f'SELECT count(*) FROM {table}'))}")
        print(f"plants: {session.scalar(text('SELECT sum(quantity_current) FROM stock_batches'))}")


def _verify() -> None:
    with transaction() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        started = time.monotonic()
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        results = list(run(session, checks))
        seconds = time.monotonic() - started
        memory = _memory(backend)
    wrong = sum(result.wrong for result in results)
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"verify: {seconds:.1f} s, {wrong} wrong; database process {memory}, this one {here} MB")
    for result in sorted(results, key=lambda result: -result.seconds)[:6]:
        print(f"    {result.seconds:6.2f} s  {result.title}")


def _memory(pid: int) -> str:
    """Peak memory of the backend; shared buffers that it touched are part of it."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    peak, shared = (int(status[key].split()[0]) // 1024 for key in ("VmHWM", "RssShmem"))
    return f"peak {peak} MB, of it shared {shared} MB"


def _queries(repeats: int) -> None:
    rng = random.Random(3)
    with transaction() as session:
        beds = session.scalars(text("SELECT code FROM storage_locations")).all()
        areas = session.scalars(text("SELECT code FROM storage_areas")).all()
        lots = session.scalars(text("SELECT batch_code FROM stock_batches")).all()
        codes = session.scalars(text("SELECT code FROM periods")).all()
        first, last = session.execute(
            text("SELECT min(occurred_at), max(occurred_at) FROM stock_movements")
        ).one()

    def moment() -> datetime:
        return first + (last - first) * rng.random() + timedelta(seconds=1)

    place, product = (
        [Level.LOCATION, Level.PRODUCT],
        [Level.WAREHOUSE, Level.PRODUCT],
    )
    cases: dict[str, tuple[int, Callable[[Session], Any]]] = {
        "on hand, one bed": (
            1,
            lambda s: stock_by(s, place, StockFilter(location=rng.choice(beds))),
        ),
        "on hand, every bed": (5, lambda s: stock_by(s, place)),
        "on hand, greenhouse and product": (5, lambda s: stock_by(s, product)),
        "as of, one bed": (
            1,
            lambda s: stock_by(s, place, StockFilter(location=rng.choice(beds)), moment()),
        ),
        "as of, one area": (
            2,
            lambda s: stock_by(s, place, StockFilter(area=rng.choice(areas)), moment()),
        ),
        "as of, every bed": (10, lambda s: stock_by(s, place, None, moment())),
        "history, a lot's life": (1, lambda s: batch_history.lot_history(s, rng.choice(lots))),
        "history, a bed's last 100 movements": (
            1,
            lambda s: queries.movements(s, limit=100, location_code=rng.choice(beds)),
        ),
        "history, the last 100 movements": (1, lambda s: queries.movements(s, limit=100)),
        "month's end, every line": (
            25,
            lambda s: period_queries.period_preview(s, service.find_period(s, rng.choice(codes))),
        ),
    }
    for name, (rarer, act) in cases.items():
        times_ms = []
        for _ in range(max(4, repeats // rarer)):
            with transaction() as session:
                started = time.monotonic()
                act(session)
                times_ms.append((time.monotonic() - started) * 1000)
        times_ms.sort()
        p95 = times_ms[min(len(times_ms) - 1, int(0.95 * len(times_ms)))]
        print(f"{name:38s} p50 {statistics.median(times_ms):8.1f} ms  p95 {p95:8.1f} ms")


if __name__ == "__main__":
    main()
