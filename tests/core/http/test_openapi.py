"""The OpenAPI document has names that clients can be made of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from demeter.app import create_app

DOCUMENT = create_app().openapi()


def test_operation_ids_are_short_stable_and_unique():
    ids = [operation["operationId"] for _, operation in operations()]
    assert [each for each in ids if not re.fullmatch("[a-z]+(_[a-z]+)+", each)] == []
    assert [each for each, times in Counter(ids).items() if times > 1] == []
    assert {"stock_report_movement", "counts_correct", "photos_upload_photos"} <= set(ids)


def test_an_operation_id_begins_with_its_tag_and_says_nothing_of_its_path():
    for path, operation in operations():
        (tag,) = operation["tags"]
        assert operation["operationId"].startswith(f"{tag}_")
        assert "api_v" not in operation["operationId"], path


def test_every_tag_says_what_it_is_for():
    named = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert set(named) == {tag for _, operation in operations() for tag in operation["tags"]}


def test_schema_names_are_those_of_classes():
    names = DOCUMENT["components"]["schemas"]
    assert [name for name in names if not re.fullmatch("[A-Za-z][A-Za-z0-9]*", name)] == []
    assert [name for name in names if re.search("(Input|Output)$|^Body", name)] == []


def test_every_schema_says_what_it_is():
    described = DOCUMENT["components"]["schemas"].items()
    assert [name for name, schema in described if not schema.get("description")] == []


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            yield path, operation
