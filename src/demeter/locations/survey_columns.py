"""How the layers of a survey are read: what their features are, and which column says what."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from demeter.core.imports.columns import SourceColumns, SourceMapping, guess_columns
from demeter.core.tabular.tables import plain_title


class PlaceLevel(StrEnum):
    """What the features of a layer are."""

    WAREHOUSE = "warehouse"
    AREA = "area"
    LOCATION = "location"


FIELDS = ("name", "warehouse", "area", "row", "col")
_WORDS = {
    PlaceLevel.LOCATION: ("claro", "location", "ubicacion", "unit", "mesa", "bench", "cama"),
    PlaceLevel.AREA: ("cantero", "area", "sector", "bed", "zona"),
    PlaceLevel.WAREHOUSE: ("nave", "warehouse", "greenhouse", "invernadero", "vivero", "house"),
}
_OF_WAREHOUSE = ("nave", "warehouse", "greenhouse", "invernadero", "warehouse_code")
_OF_AREA = ("cantero", "area", "sector", "bed", "zona", "area_code")
_TITLES = {
    "warehouse": _OF_WAREHOUSE,
    "area": _OF_AREA,
    "name": ("label", "name", "nombre", "etiqueta", "code", "codigo"),
    "row": ("row", "fila", "ordinal"),
    "col": ("col", "column", "columna", "orden"),
}


def guess_levels(sources: Sequence[SourceColumns]) -> list[SourceMapping]:
    """A guess for each layer; ``level`` is ``None`` where nothing tells what it holds."""
    return [_guess(source) for source in sources]


def _guess(source: SourceColumns) -> SourceMapping:
    columns = guess_columns(source.columns, _TITLES)
    level = _level_by_name(source.name) or _level_by_columns(columns) or _level_by_values(source)
    above = {
        PlaceLevel.WAREHOUSE: ("warehouse", "area", "row", "col"),
        PlaceLevel.AREA: ("area", "row", "col"),
    }
    # A layer of greenhouses whose only title is `nave` names itself by it.
    own = {PlaceLevel.WAREHOUSE: "warehouse", PlaceLevel.AREA: "area"}.get(level) if level else None
    if own in columns and "name" not in columns:
        columns["name"] = columns[own]
    kept = {f: c for f, c in columns.items() if level is None or f not in above.get(level, ())}
    return SourceMapping(source.name, level, None, kept)


def _level_by_name(name: str) -> PlaceLevel | None:
    plain = plain_title(name)
    return next((level for level, words in _WORDS.items() if any(w in plain for w in words)), None)


def _level_by_columns(columns: dict[str, str]) -> PlaceLevel | None:
    if "area" in columns:
        return PlaceLevel.LOCATION
    return PlaceLevel.AREA if "warehouse" in columns else None


def _level_by_values(source: SourceColumns) -> PlaceLevel | None:
    """By the first names in it: `Nave 1`, `Nave 2`."""
    values = [v for examples in source.examples.values() for v in examples[:1]]
    levels = {_level_by_name(value) for value in values} - {None}
    return levels.pop() if len(levels) == 1 else None
