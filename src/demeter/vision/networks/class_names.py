"""What a model or a label file calls things, and what that means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demeter.vision.networks.yaml_table import texts_by_index, yaml_table
from demeter.vision.values import ContainerType, container_type_of, plain_label

_PLANTS = {"plant", "plants", "planta", "plantas", "cactus", "succulent", "suculenta"}
_EMPTIES = {
    "empty",
    "empties",
    "empty_container",
    "empty_cell",
    "empty_pot",
    "vacio",
    "maceta_vacia",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for; none of the three means that it is left out."""

    is_plant: bool = False
    is_empty: bool = False
    container: ContainerType | None = None


def meaning_of(name: str) -> Meaning:
    """A name as one of ours, by its `plain_label`."""
    plain = plain_label(name)
    if plain in _EMPTIES:
        return Meaning(is_empty=True)
    if plain in _PLANTS:
        return Meaning(is_plant=True)
    return Meaning(container=container_type_of(name))


def meanings_of(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> list[Meaning]:
    """Meanings by class index; ``mapping`` says what a name is called here, where given."""
    return [meaning_of((mapping or {}).get(n, n)) for n in names]


def names_in(text: str) -> list[str]:
    """The class names of a YAML file, by index; empty when there is no ``names``.

    Raises:
        YamlUnreadable: it is no YAML, or its names are no list and not numbered from 0.
    """
    table = yaml_table(text)
    return texts_by_index(table["names"]) if "names" in table else []


def inline_names(text: str) -> list[str]:
    """Names by index from one line, as exporters write it: ``{0: 'plant', 1: 'pot'}``.

    Raises:
        YamlUnreadable: as `names_in`.
    """
    return names_in(f"names: {text}")
