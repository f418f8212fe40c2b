"""Numbers of request bodies: a truth value or a text is none, whatever the field."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

import demeter.app  # noqa: F401  loads every feature


def body_models() -> list[type[BaseModel]]:
    """What comes in: models that refuse a field they do not have."""
    models = _descendants(BaseModel)
    ours = [m for m in models if m.__module__.startswith("demeter.")]
    return [m for m in ours if m.model_config.get("extra") == "forbid"]


def _descendants(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model}.union(*map(_descendants, model.__subclasses__()))


def _is_numeric(annotation: Any) -> bool:
    return annotation in (int, float) or any(map(_is_numeric, get_args(annotation)))


def test_no_number_of_a_body_is_a_truth_value_or_a_text() -> None:
    models = body_models()
    assert {"Correction", "CountCorrect", "HandCountCreate"} <= {m.__name__ for m in models}
    taken = []
    for model in models:
        for name, field in model.model_fields.items():
            if not _is_numeric(field.annotation) or "list" in str(field.annotation):
                continue
            taken += [
                f"{model.__name__}.{name}={value!r}"
                for value in (True, "1.000", "1")
                if not _is_refused(model, name, value)
            ]
    assert taken == []


def _is_refused(model: type[BaseModel], name: str, value: Any) -> bool:
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return any(fault["loc"][:1] == (name,) for fault in error.errors())
    return False
