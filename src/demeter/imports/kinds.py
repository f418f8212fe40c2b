"""The kinds of import that there are, and which one a file looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demeter.accounts import imports as people
from demeter.catalog import imports as products
from demeter.catalog import species_imports as species
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.kinds import Files, ImportKind
from demeter.counts.sheets import imports as trays
from demeter.imports.errors import ImportColumnsMissing, ImportKindUnknown
from demeter.locations import imports as places
from demeter.pricing import imports as prices

KINDS: Mapping[str, ImportKind] = {
    kind.name: kind
    for kind in (
        places.KIND,
        prices.KIND,
        trays.KIND,
        species.KIND,
        products.KIND,
        people.KIND,
    )
}
LISTS = ("prices", "trays", "products", "species")  # of `demeter catalog import`, surest first


def guess_list(files: Files) -> ImportKind:
    """The kind of list whose columns are all found in a file.

    Raises:
        ImportKindUnknown: it is like none of them.
    """
    for name in LISTS:
        kind = KINDS[name]
        sources = kind.sources(files)
        if not missing_fields(kind, kind.guess(sources)):
            return kind
    raise ImportKindUnknown(f"{files[0].name} looks like none of: {', '.join(LISTS)}")


def missing_fields(kind: ImportKind, mappings: Sequence[SourceMapping]) -> list[str]:
    """Required fields for which no column is known, each with its layer or table."""
    return [
        f"{mapping.name}: {field}"
        for mapping in mappings
        for field in kind.required
        if field not in mapping.columns and not (kind.levels and mapping.level is None)
    ]


def require_fields(kind: ImportKind, mappings: Sequence[SourceMapping]) -> None:
    """Refuse a mapping by which no row could be read.

    Raises:
        ImportColumnsMissing: it names the fields.
    """
    missing = missing_fields(kind, mappings)
    if missing:
        raise ImportColumnsMissing(f"no column is known for {', '.join(missing)}", missing=missing)
