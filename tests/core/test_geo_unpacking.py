"""Zips of shapes that were made to harm are refused by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from demeter.core.geo.errors import ShapesRefused
from demeter.core.geo.unpacking import MOST_PARTS, GeoFile, readable_paths

EMPTY = b'{"type": "FeatureCollection", "features": []}'


def packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def damaged() -> bytes:
    """A zip whose list is whole and whose packed bytes are none."""
    content = bytearray(packed({"a.geojson": bytes(range(256)) * 20}))
    begin = content.find(b"a.geojson") + len("a.geojson")
    content[begin : begin + 20] = b"\xff" * 20
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (damaged(), "zip_damaged"),
        (packed({"a.geojson": EMPTY})[:-30], "zip_damaged"),
        (packed({"inner.json": packed({"a.geojson": EMPTY})}), "zip_without_shapes"),
        (packed({f"{n}.txt": b"" for n in range(MOST_PARTS + 1)}), "zip_of_many"),
    ],
    ids=["damaged", "cut", "nested", "many"],
)
def test_a_zip_made_to_harm_is_refused_by_name(content: bytes, code: str) -> None:
    with (
        pytest.raises(ShapesRefused) as refused,
        readable_paths([GeoFile("beds.zip", content)]),
    ):
        pass
    assert refused.value.problem()["notice"]["code"] == code


def test_a_zip_with_shapes_is_read() -> None:
    with readable_paths([GeoFile("beds.zip", packed({"../../a.geojson": EMPTY}))]) as paths:
        assert [name for name, _ in paths] == ["a.geojson"]
