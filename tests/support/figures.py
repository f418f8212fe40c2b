"""What `/metrics` says, taken apart."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

OF_KIND = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
}


def exported(text: str) -> set[str]:
    """Every name that a query can ask for; also of families without a value now."""
    return {
        family.name + suffix
        for family in text_string_to_metric_families(text)
        for suffix in OF_KIND.get(family.type, ("",))
    }


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Each value by its name and its labels' values, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
