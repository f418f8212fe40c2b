"""What a person's outlines make of a session's photos, before anything of it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from demeter.core.notices import Notice
from demeter.photos import person_edits
from demeter.photos.evidence import ImageCount
from demeter.photos.person_edits import PersonEdit
from demeter.review.errors import OutlineRefused
from demeter.review.mark_pool import PooledMark
from demeter.vision.containers.redraw import redraw
from demeter.vision.containers.territories import Territories, outline_fault, territories
from demeter.vision.geometry import Polygon, area_px
from demeter.vision.interval.interval import ErrorModel
from demeter.vision.values import Container, ContainerType, DetectedBox, PhotoCount


@dataclass(frozen=True, slots=True)
class DrawnContainer:
    """A container as a person drew it, in pixels of the upright image at ``position``.

    ``former`` are the indexes of the containers it comes from: several where they were
    merged, one that others come from, too, where it was split, none where it is new.
    ``bin_id`` is the bin that the person says it is.
    """

    position: int
    outline_px: Polygon
    container_type: ContainerType
    former: tuple[int, ...] = ()
    bin_id: int | None = None


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """A photo in its new containers: the result as it will be kept, and each mark's container.

    ``drawn`` are its containers in their order; ``holders`` has, for each mark of ``pool``,
    which of them it stands in, ``None`` for outside.
    """

    image: ImageCount
    drawn: tuple[DrawnContainer, ...]
    photo: PhotoCount
    pool: tuple[PooledMark, ...]
    holders: tuple[int | None, ...]
    estimated_outside: int

    @property
    def plants_outside(self) -> int:
        """Plants that count in no container any more, detected, added or estimated."""
        lost = zip(self.pool, self.holders, strict=True)
        return self.estimated_outside + sum(h is None and mark.is_plant for mark, h in lost)

    @property
    def plants_outside_before(self) -> int:
        """Those of them that counted in none before."""
        edit = person_edits.edit_of(self.image.row)
        before = sum(m.home is None and m.is_plant and not m.is_new for m in self.pool)
        return before + (edit.estimated_outside if edit else 0)

    def result(self, user_id: int) -> PersonEdit:
        """What the photo's result keeps beside the count."""
        lost = zip(self.pool, self.holders, strict=True)
        return PersonEdit(
            user_id,
            tuple(d.bin_id for d in self.drawn),
            self.estimated_outside,
            tuple(mark.to_json() for mark, holder in lost if holder is None),
        )


Formers = Mapping[int, tuple[ImageCount, Container]]


def formers_of(counted: Sequence[ImageCount]) -> Formers:
    """The containers of the present attempt by their index in the session."""
    all_containers = ((image, c) for image in counted for c in image.photo.containers)
    return dict(enumerate(all_containers, start=1))


def plan_image(
    image: ImageCount,
    drawn: Sequence[DrawnContainer],
    formers: Formers,
    pool: Sequence[PooledMark],
    errors: ErrorModel | None,
) -> ImagePlan:
    """Sort a photo's marks and estimates into the containers drawn on it.

    Raises:
        OutlineRefused: an outline is none, or two of them share plants.
    """
    _require_drawable(image.photo, drawn)
    unchanged = _unchanged(drawn, formers)
    ground = territories(
        (d.outline_px for d in drawn),
        (n not in unchanged.values() for n in range(len(drawn))),
        (image.photo.width_px, image.photo.height_px),
    )
    centres = np.array([mark.centre for mark in pool], np.float64).reshape(-1, 2)
    _require_apart(ground, centres)
    homes = [unchanged.get(mark.home) if mark.home is not None else None for mark in pool]
    holders = ground.holders(centres, homes)
    machine = PhotoCount.from_json(person_edits.machine_result(image.row))
    redrawing = redraw(
        machine,
        [_container(d, formers) for d in drawn],
        ground,
        _boxes(pool, holders),
        errors if errors and errors.source == machine.parameters.get("error_model") else None,
    )
    return ImagePlan(
        image,
        tuple(drawn),
        redrawing.photo,
        tuple(pool),
        tuple(holders),
        redrawing.estimated_outside,
    )


def _require_drawable(photo: PhotoCount, drawn: Sequence[DrawnContainer]) -> None:
    for number, one in enumerate(drawn, start=1):
        size = photo.width_px, photo.height_px
        fault = outline_fault(one.outline_px, size, number, one.position)
        if fault is not None:
            raise OutlineRefused(fault, fault=fault.code, container=number, position=one.position)


def _require_apart(ground: Territories, centres: np.ndarray) -> None:
    pair = ground.overlapping_pair(centres)
    if pair is not None:
        first, second = (index + 1 for index in pair)
        raise OutlineRefused(
            Notice("outlines_share_plants", {"first": first, "second": second}),
            fault="outlines_share_plants",
            container=first,
            other=second,
        )


def _unchanged(drawn: Sequence[DrawnContainer], formers: Formers) -> dict[int, int]:
    """Places of the outlines that are as they were, by the former container's index."""
    found: dict[int, int] = {}
    for n, one in enumerate(drawn):
        if len(one.former) == 1 and formers[one.former[0]][1].polygon_px == one.outline_px:
            found.setdefault(one.former[0], n)
    return found


def _container(drawn: DrawnContainer, formers: Formers) -> Container:
    before = [formers[index][1] for index in drawn.former]
    same = len(before) == 1 and before[0].polygon_px == drawn.outline_px
    return Container(
        label=drawn.container_type.value,
        container_type=drawn.container_type,
        polygon_px=drawn.outline_px,
        area_px=before[0].area_px if same else round(area_px(drawn.outline_px)),
        confidence=min((c.confidence for c in before), default=1.0),
        whole_frame=same and before[0].whole_frame,
    )


def _boxes(pool: Sequence[PooledMark], holders: Sequence[int | None]) -> tuple[DetectedBox, ...]:
    """What the machine detected, in the containers that hold it now; in their order."""
    boxes = [
        DetectedBox(mark.xyxy_px, mark.confidence or 0.0, mark.is_empty_container, holder)
        for mark, holder in zip(pool, holders, strict=True)
        if mark.added is None and holder is not None
    ]
    return tuple(sorted(boxes, key=lambda box: box.container))
