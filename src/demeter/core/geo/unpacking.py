"""What GDAL is given to read: one file of a kind that is known by its content, in a folder.

GDAL itself opens whatever it recognises, formats among them that name other files and addresses.
So it never sees a file whose content did not say first which of the three kinds it is.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from demeter.core.geo.errors import ShapesRefused
from demeter.core.notices import Notice
from demeter.core.tabular.raw import MOST_BYTES

MOST_UNPACKED = 10 * MOST_BYTES
MOST_PARTS = 1_000
ZIP = b"PK\x03\x04"
SHAPEFILE = b"\x00\x00\x27\x0a"
PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")
_KML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<kml[\s>]", re.DOTALL
)

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a method of packing that is not known
    RuntimeError,  # packed with a password
)


@dataclass(frozen=True, slots=True)
class GeoFile:
    """A file as it was sent."""

    name: str
    content: bytes


def holds_shapes(name: str, content: bytes) -> bool:
    """Whether a file looks like GeoJSON, KML or part of a shapefile, rather than like a table."""
    if name.lower().endswith(PARTS):
        return True
    if content.startswith(ZIP):
        return re.search(rb"\.(shp|kml)", content[-MOST_PARTS * 200 :], re.IGNORECASE) is not None
    return content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"<"))


@contextmanager
def readable_paths(files: list[GeoFile]) -> Iterator[list[tuple[str, Path]]]:
    """The files in a folder of their own, each with the name it was sent under.

    The parts of a shapefile that were sent one by one are put together again by their name.

    Raises:
        ShapesRefused: a file is of no known kind.
    """
    with TemporaryDirectory(prefix="demeter-shapes-") as folder:
        paths: list[tuple[str, Path]] = []
        loose = [f for f in files if PurePosixPath(f.name.lower()).suffix in PARTS]
        paths += _shapefiles({f.name: f.content for f in loose}, Path(folder) / "parts")
        for number, file in enumerate(f for f in files if f not in loose):
            paths += _paths_of(file, Path(folder) / str(number))
        yield paths


def _paths_of(file: GeoFile, folder: Path) -> list[tuple[str, Path]]:
    folder.mkdir()
    if len(file.content) > MOST_BYTES:
        raise _refusal(file.name, Notice("shapes_too_large", {"most": MOST_BYTES}))
    if file.content.startswith(ZIP):
        return _paths_of_zip(file, folder)
    suffix = ".kml" if _KML.match(file.content) else ".geojson"
    content = file.content if suffix == ".kml" else _geojson(file)
    path = folder / f"{_stem(file.name)}{suffix}"
    path.write_bytes(content)
    return [(file.name, path)]


def _geojson(file: GeoFile) -> bytes:
    """The document without what only GDAL would make of it.

    Raises:
        ShapesRefused: it is no GeoJSON.
    """
    try:
        document = json.loads(file.content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise _refusal(file.name, Notice("shapes_unknown", {"line": line})) from error
    if not isinstance(document, dict) or document.get("type") not in (
        "FeatureCollection",
        "Feature",
    ):
        raise _refusal(file.name, Notice("no_features"))
    return json.dumps(document).encode()


def _paths_of_zip(file: GeoFile, folder: Path) -> list[tuple[str, Path]]:
    members = _members(file)
    kmls = [n for n, c in members.items() if n.lower().endswith(".kml") and _KML.match(c)]
    paths: list[tuple[str, Path]] = []
    for number, name in enumerate(kmls):
        path = folder / f"{number}.kml"
        path.write_bytes(members[name])
        paths.append((file.name if len(kmls) == 1 else name, path))
    paths += _shapefiles(members, folder / "parts")
    for name, content in members.items():
        # A zip in a zip is not opened: it could hold itself.
        if name.lower().endswith((".geojson", ".json")) and not content.startswith(ZIP):
            paths += _paths_of(
                GeoFile(PurePosixPath(name).name, content), folder / f"j{len(paths)}"
            )
    if not paths:
        raise _refusal(file.name, Notice("zip_without_shapes"))
    return paths


def _members(file: GeoFile) -> dict[str, bytes]:
    """The files in a zip, as far as they are of use.

    Raises:
        ShapesRefused: it is damaged, or would unpack to more than may be read.
    """
    if file.content.count(b"PK\x01\x02") > MOST_PARTS:
        raise _refusal(file.name, Notice("zip_of_many", {"most": MOST_PARTS}))
    try:
        with zipfile.ZipFile(BytesIO(file.content)) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir()]
            if sum(info.file_size for info in infos) > MOST_UNPACKED:
                raise _refusal(file.name, Notice("shapes_too_large", {"most": MOST_UNPACKED}))
            return {info.filename: archive.read(info) for info in infos}
    except _DAMAGE as error:
        raise _refusal(file.name, Notice("zip_damaged")) from error


def _shapefiles(members: dict[str, bytes], folder: Path) -> list[tuple[str, Path]]:
    """Each .shp with its parts beside it, under one stem."""
    folder.mkdir()
    paths = []
    stems = {n[:-4]: n for n, c in members.items() if n.lower().endswith(".shp")}
    for number, (stem, name) in enumerate(stems.items()):
        if not members[name].startswith(SHAPEFILE):
            raise _refusal(name, Notice("no_shapefile"))
        for other, content in members.items():
            if other[:-4] == stem and other[-4:].lower() in PARTS:
                (folder / f"{number}{other[-4:].lower()}").write_bytes(content)
        if not (folder / f"{number}.dbf").exists():
            raise _refusal(name, Notice("shapefile_incomplete"))
        paths.append((PurePosixPath(name).name, folder / f"{number}.shp"))
    return paths


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", PurePosixPath(name).stem)[:60] or "shapes"


def _refusal(name: str, notice: Notice) -> ShapesRefused:
    return ShapesRefused(notice, file=name)
