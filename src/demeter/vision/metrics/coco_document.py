"""A COCO document: its pictures and, checked one by one, what is marked in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demeter.core.notices import Notice
from demeter.vision.errors import LabelsRefused
from demeter.vision.metrics.shapes import Box, ShapeRefused, box_px, finite, outline_px

OnNotice = Callable[[Notice], None]


@dataclass(frozen=True, slots=True)
class CocoAnnotation:
    """One mark: its category's name, box and outlines in pixels of the picture."""

    category: str
    box: Box
    parts: tuple[tuple[tuple[float, float], ...], ...]
    is_crowd: bool
    plants: int | None
    visible: float

    @property
    def outlines(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """The parts of the outline, else the box."""
        x, y, w, h = self.box
        return self.parts or (((x, y), (x + w, y), (x + w, y + h), (x, y + h)),)


@dataclass(frozen=True, slots=True)
class CocoPicture:
    """A picture that a document lists; its size where that is said."""

    file_name: str
    size_wh: tuple[int, int] | None
    scene: str
    annotations: tuple[CocoAnnotation, ...]


def coco_pictures(
    path: Path, document: Any, on_notice: OnNotice
) -> tuple[list[CocoPicture], list[str]]:
    """The pictures of a document at ``path``, and the names of all its categories.

    Ids may be numbers or texts of digits. An annotation that stands there again counts once.

    Raises:
        LabelsRefused: a field is missing or wrong, an id is there twice, or an annotation is of
            no picture, of no category, or no mark; the annotation is named.
    """
    try:
        categories = _by_id(document["categories"], "category")
        images = _by_id(document["images"], "image")
        sizes = {key: _size(key, image) for key, image in images.items()}
        names = {key: str(category["name"]) for key, category in categories.items()}
        marks = _annotations(document["annotations"], names, sizes)
        pictures = [
            CocoPicture(
                _file_name(key, image["file_name"]),
                sizes[key],
                str(image.get("scene") or image.get("kind") or ""),
                tuple(marks[key]),
            )
            for key, image in images.items()
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise LabelsRefused(f"{path.name}: {error!r}") from error
    except ShapeRefused as error:
        raise LabelsRefused(f"{path.name}, {error}") from error
    repeats = len(document["annotations"]) - sum(map(len, marks.values()))
    if repeats:
        on_notice(Notice("marks_repeated", {"file": path.name, "marks": repeats}))
    return pictures, list(names.values())


def _by_id(rows: Any, kind: str) -> dict[int | str, Mapping[str, Any]]:
    table: dict[int | str, Mapping[str, Any]] = {}
    for row in rows:
        key = _id(row["id"])
        if key in table:
            raise ShapeRefused(f"{kind} {key}: the id is there twice")
        table[key] = row
    return table


def _id(value: Any) -> int | str:
    """An id; a number and the same number as a text are one."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else value
    number = finite(value)
    return int(number) if number.is_integer() else str(number)


def _file_name(key: int | str, name: Any) -> str:
    if not isinstance(name, str) or not name or "\0" in name:
        raise ShapeRefused(f"image {key}: {name!r} is no name of a file")
    return name


def _size(key: int | str, image: Mapping[str, Any]) -> tuple[int, int] | None:
    if "width" not in image and "height" not in image:
        return None
    width, height = finite(image["width"]), finite(image["height"])
    if width < 1 or height < 1:
        raise ShapeRefused(f"image {key}: a size of {width:g} by {height:g}")
    return int(width), int(height)


def _annotations(
    rows: Any,
    names: Mapping[int | str, str],
    sizes: Mapping[int | str, tuple[int, int] | None],
) -> dict[int | str, list[CocoAnnotation]]:
    marks: dict[int | str, list[CocoAnnotation]] = {key: [] for key in sizes}
    known: set[tuple[int | str, CocoAnnotation]] = set()
    for number, row in enumerate(rows, start=1):
        place = f"annotation {number}" + (f" (id {row['id']})" if "id" in row else "")
        try:
            image = _id(row["image_id"])
            if image not in sizes:
                raise ShapeRefused(f"there is no image {row['image_id']!r}")  # noqa: TRY301
            mark = _annotation(row, names, sizes[image])
        except ShapeRefused as error:
            raise ShapeRefused(f"{place}: {error}") from error
        except KeyError as error:
            raise ShapeRefused(f"{place}: {error} is missing") from error
        if (image, mark) not in known:
            known.add((image, mark))
            marks[image].append(mark)
    return marks


def _annotation(
    row: Mapping[str, Any], names: Mapping[int | str, str], size_wh: tuple[int, int] | None
) -> CocoAnnotation:
    category = _id(row["category_id"])
    if category not in names:
        raise ShapeRefused(f"there is no category {row['category_id']!r}")
    segmentation = row.get("segmentation")
    parts = segmentation if isinstance(segmentation, list) else []
    plants = row.get("plants")
    outlines = tuple(outline_px(part, size_wh) for part in parts)
    return CocoAnnotation(
        category=names[category],
        box=_bounds(outlines) if outlines and "bbox" not in row else box_px(row["bbox"], size_wh),
        parts=outlines,
        is_crowd=bool(row.get("iscrowd")),
        plants=None if plants is None else int(finite(plants)),
        visible=finite(row.get("visible", 1)),
    )


def _bounds(parts: tuple[tuple[tuple[float, float], ...], ...]) -> Box:
    xs, ys = zip(*(corner for part in parts for corner in part), strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
