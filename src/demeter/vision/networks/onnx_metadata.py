"""The metadata table of an ONNX file, read without the library that writes such files.

An ONNX file is a protobuf message whose fields are (tag, value) pairs; field 14 holds the
entries of the table, each with a key (1) and a value (2). Everything else is stepped over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_GRAPH, _METADATA, _KEY, _VALUE = 7, 14, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def onnx_metadata(path: Path) -> dict[str, str]:
    """Key and value of each entry; empty when there are none or the file is no protobuf."""
    table: dict[str, str] = {}
    try:
        for number, value in _fields(memoryview(path.read_bytes())):
            if number == _METADATA:
                entry = {n: bytes(v).decode("utf-8") for n, v in _fields(value)}
                table[entry.get(_KEY, "")] = entry.get(_VALUE, "")
    except (ValueError, IndexError, UnicodeDecodeError):
        return {}
    return table


def is_onnx(path: Path) -> bool:
    """Whether a file is a protobuf message with a network's graph in it, as ONNX files are."""
    try:
        return any(number == _GRAPH for number, _ in _fields(memoryview(path.read_bytes())))
    except (ValueError, IndexError):
        return False


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and bytes of a message's length-delimited fields; others are skipped."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _FIXED64:
            at += 8
        elif kind == _FIXED32:
            at += 4
        elif kind == _BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("a field reaches beyond the end")
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            raise ValueError(f"no such kind of field: {kind}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:  # noqa: PLR2004 - longer than any number protobuf knows
            raise ValueError("a number without an end")
