"""A photo's result after a person drew its containers anew: the machine's stays beside it.

`evidence` writes an attempt from what an image's ``result`` says. A person's attempt has a
result of its own, with the machine's under `BY_PERSON`, and what the machine cannot say: the
bins that were chosen, and the marks that stand in no container.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demeter.photos.models import SessionImage
from demeter.vision.values import PhotoCount

BY_PERSON = "containers_by_person"


@dataclass(frozen=True, slots=True)
class PersonEdit:
    """What a person's result keeps beside its count.

    ``bins`` has a bin's id for each container, ``None`` where nobody chose one;
    ``estimated_outside`` is what the machine estimated outside of all containers, ``marks``
    are those outside as JSON values.
    """

    user_id: int
    bins: tuple[int | None, ...] = ()
    estimated_outside: int = 0
    marks: tuple[Mapping[str, Any], ...] = ()


def machine_result(row: SessionImage) -> dict[str, Any]:
    """What the machine said of a photo, whoever changed its containers since."""
    body: dict[str, Any] = row.result or {}
    return body[BY_PERSON]["machine"] if BY_PERSON in body else body


def edit_of(row: SessionImage) -> PersonEdit | None:
    """What a person's edit keeps; ``None`` where the containers are the machine's."""
    kept = (row.result or {}).get(BY_PERSON)
    if kept is None:
        return None
    return PersonEdit(
        kept["by"], tuple(kept["bins"]), kept["estimated_outside"], tuple(kept["marks"])
    )


def chosen_bins(row: SessionImage) -> Sequence[int | None]:
    """The bin that a person chose for each container of a photo; empty where none did."""
    edit = edit_of(row)
    return edit.bins if edit else ()


def result_by_person(row: SessionImage, photo: PhotoCount, edit: PersonEdit) -> dict[str, Any]:
    """The result of a person's attempt; how photos overlap and lie to earlier ones stays."""
    machine = machine_result(row)
    kept = {
        "machine": machine,
        "by": edit.user_id,
        "at": datetime.now(UTC).isoformat(),
        "bins": list(edit.bins),
        "estimated_outside": edit.estimated_outside,
        "marks": [dict(mark) for mark in edit.marks],
    }
    return machine | photo.to_json() | {BY_PERSON: kept}
