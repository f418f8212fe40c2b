"""What a model or a label file calls things, and what that means here."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """The class names of a YAML file, by index: the list or table under ``names``."""
    return list_in(text, "names")


def list_in(text: str, key: str) -> list[str]:
    """The list or table under a key of a YAML file, by index.

    Only this much of YAML is read: a block or an inline list or table. Empty when there is
    none.
    """
    inline = re.search(rf"^{key}:\s*([\[{{].*?[\]}}])\s*$", text, re.MULTILINE | re.DOTALL)
    if inline:
        return inline_names(inline.group(1))
    block = re.search(rf"^{key}:\s*\n((?:(?:[ \t]+\S|-).*\n?)+)", text, re.MULTILINE)
    lines = block.group(1).splitlines() if block else []
    return [re.sub(r"^\s*(?:-|\d+\s*:)\s*", "", line).strip(" '\"") for line in lines]


def inline_names(text: str) -> list[str]:
    """Names from an inline list or table such as ``{0: 'plant', 1: 'pot'}``."""
    try:
        names = ast.literal_eval(text)
    except (SyntaxError, ValueError):  # YAML allows names without quotation marks
        parts = text.strip("[]{} \n").split(",")
        return [re.sub(r"^\s*\d+\s*:", "", p).strip(" '\"\n") for p in parts]
    if isinstance(names, dict):
        return [str(names[k]) for k in sorted(names)]
    return [str(n) for n in names]
