"""Files of shapes as layers of features: what they are called, their values and their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from demeter.core.geo.errors import ShapesRefused
from demeter.core.geo.unpacking import GeoFile, readable_paths
from demeter.core.notices import Notice

WGS84 = 4326
MOST_FEATURES = 50_000
# What LIBKML adds to every placemark beside its own data.
_OF_KML = frozenset(
    ("id", "timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility",
     "draworder", "icon", "snippet", "gx_media_links")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """One shape with its values; ``shape`` is flat, and ``None`` where the file has none."""

    row: int  # from 1 on, as the file has them
    values: Mapping[str, Any]
    shape: Any | None  # of shapely
    is_unreadable: bool = False  # something stands there that is no shape


@dataclass(frozen=True, slots=True)
class Layer:
    """The features of one layer; ``srid`` is how its coordinates are to be read."""

    name: str
    file: str
    columns: tuple[str, ...]
    features: tuple[Feature, ...]
    srid: int


def read_layers(files: list[GeoFile]) -> list[Layer]:
    """All layers of all files, in their order; heights are dropped.

    Raises:
        ShapesRefused: a file cannot be read, and why.
    """
    with readable_paths(files) as paths:
        layers = [layer for name, path in paths for layer in _layers(name, path)]
    return [_with_own_name(layer, layers) for layer in layers]


def _layers(file: str, path: Path) -> list[Layer]:
    import pyogrio  # noqa: PLC0415  GDAL takes half a second to load
    from pyogrio.errors import DataSourceError  # noqa: PLC0415

    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
        layers = [_layer(file, path, name, is_only=len(names) == 1) for name in names]
    except (DataSourceError, ValueError, RuntimeError) as error:
        notice = Notice("shapes_broken", {"cause": _one_line(str(error))})
        raise ShapesRefused(notice, file=file) from error
    filled = [layer for layer in layers if layer.features]
    if sum(len(layer.features) for layer in filled) > MOST_FEATURES:
        raise ShapesRefused(Notice("too_many_shapes", {"most": MOST_FEATURES}), file=file)
    if not filled:
        raise ShapesRefused(Notice("no_features"), file=file)
    return filled


def _layer(file: str, path: Path, name: str, *, is_only: bool) -> Layer:
    from pyogrio import raw  # noqa: PLC0415  as above

    meta, _, shapes, fields = raw.read(path, layer=name, force_2d=True)
    columns = [str(field) for field in meta["fields"]]
    kept = [i for i, c in enumerate(columns) if path.suffix != ".kml" or c.lower() not in _OF_KML]
    features = tuple(
        _feature(
            row,
            {columns[i]: _plain(fields[i][row - 1]) for i in kept},
            None if shapes is None else shapes[row - 1],
        )
        for row in range(1, len(fields[0] if fields else shapes if shapes is not None else ()) + 1)
    )
    shown = PurePosixPath(file).stem if is_only else name
    return Layer(
        shown, file, tuple(columns[i] for i in kept), features, _srid(file, meta.get("crs"))
    )


def _feature(row: int, values: Mapping[str, Any], wkb: bytes | None) -> Feature:
    import shapely  # noqa: PLC0415  most commands know no shapes

    if wkb is None:
        return Feature(row, values, None)
    shape = shapely.from_wkb(wkb, on_invalid="ignore")
    return Feature(row, values, shape, is_unreadable=shape is None)


def _plain(value: Any) -> Any:
    """A value as JSON has it; nothing for what is no number."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value  # noqa: PLR0124  NaN
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value).replace("\x00", "").strip() or None


def _srid(file: str, crs: str | None) -> int:
    """The number of a system of coordinates; a file that says none means longitude, latitude.

    Raises:
        ShapesRefused: it is one without a number.
    """
    if crs is None or "CRS84" in crs:
        return WGS84
    match = re.fullmatch(r"EPSG:([0-9]{1,6})", crs)
    if match:
        return int(match[1])
    if 'GEOGCS["GCS_WGS_1984"' in crs or '"WGS 84"' in crs.split(",")[0]:
        return WGS84
    raise ShapesRefused(Notice("coordinates_unknown", {"system": _one_line(crs)[:80]}), file=file)


def _one_line(words: str) -> str:
    """Without the folder in which the file lay for GDAL."""
    return re.sub(r"/\S*/(?=[^/\s]+)", "", " ".join(words.split()))[:300]


def _with_own_name(layer: Layer, layers: list[Layer]) -> Layer:
    """Two layers of one name are told apart by their files."""
    if sum(other.name == layer.name for other in layers) == 1:
        return layer
    same = [other for other in layers if other.name == layer.name]
    number = next(i for i, other in enumerate(same, start=1) if other is layer)
    return Layer(f"{layer.name} {number}", layer.file, layer.columns, layer.features, layer.srid)
