"""Gauges and the like in few words, as Prometheus's library wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

Row = tuple[Any, ...]


def gauge(name: str, about: str, labels: Iterable[str] = (), rows: Iterable[Row] = ()) -> Metric:
    """A gauge whose rows are its labels' values and then the number; without one it is absent."""
    names = list(labels)
    family = GaugeMetricFamily(name, about, labels=names)
    for *values, number in rows:
        if number is not None:
            family.add_metric([_text(value) for value in values], float(number))
    return family


def counter(name: str, about: str, labels: Iterable[str] = (), rows: Iterable[Row] = ()) -> Metric:
    """As `gauge`, of what only grows."""
    family = CounterMetricFamily(name, about, labels=list(labels))
    for *values, number in rows:
        family.add_metric([_text(value) for value in values], float(number))
    return family


def histogram(
    name: str, about: str, labels: Iterable[str], bounds: Iterable[float], rows: Iterable[Row]
) -> Metric:
    """Of rows (labels …, upper end, how many, their sum), sorted by labels; ends may be missing."""
    names, ends = list(labels), list(bounds)
    family = HistogramMetricFamily(name, about, labels=names)
    for values, members in groupby(rows, key=lambda row: row[: len(names)]):
        by_end: Mapping[float, Row] = {float(row[-3]): row for row in members}
        total, buckets = 0, []
        for end in [*ends, float("inf")]:
            total += by_end[end][-2] if end in by_end else 0
            buckets.append(("+Inf" if end == float("inf") else str(float(end)), float(total)))
        seconds = float(sum(row[-1] for row in by_end.values()))
        family.add_metric([_text(value) for value in values], buckets, seconds)
    return family


def _text(value: Any) -> str:
    return "" if value is None else str(value)
