"""CSV as programs write it: nothing is lost, nothing is guessed, what is odd is named."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.raw import MOST_BYTES
from demeter.core.tabular.reading import read_table
from demeter.core.tabular.tables import Table, TableFile, TableShape

SHAPE = TableShape(("code", "plants"), ("note",), 1_000, TableRefused)
HEADING = ["code", "plants", "note"]


def read(content: bytes | str, shape: TableShape = SHAPE) -> Table:
    encoded = content.encode() if isinstance(content, str) else content
    return read_table(TableFile("file.csv", io.BytesIO(encoded)), shape)


def values(table: Table) -> list[tuple[Any, ...]]:
    return [tuple(row.cell(name).value for name in HEADING) for row in table.rows]


def codes(remarks) -> list[str]:
    return [remark.notice.code for remark in remarks]


def refused(content: bytes | str) -> list[dict[str, Any]]:
    """The faults of a file, whether of the whole of it or of its rows."""
    with pytest.raises(TableRefused) as caught:
        read(content).require_faultless()
    return [fault | {"code": fault["notice"]["code"]} for fault in caught.value.context["faults"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_is_read_as_it_was_written(delimiter: str, end: str, encoding: str) -> None:
    lines = [delimiter.join(HEADING), delimiter.join(["A1", "100", "ñandú"]), ""]
    table = read(end.join(lines).encode(encoding))
    assert values(table) == [("A1", "100", "ñandú")]
    assert table.remarks.warnings == []
    cell = table.rows[0].cell("plants")
    assert (cell.sheet, cell.row, cell.letter) == (None, 2, "B")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_does_not_say_so_is_read(encoding: str) -> None:
    content = "code;plants;note\r\nA1;100;ñandú\r\nA2;7;日本\r\n"
    assert values(read(content.encode(encoding))) == [("A1", "100", "ñandú"), ("A2", "7", "日本")]


@pytest.mark.parametrize("mark", ["", "a", "é", "\r", '"', "_"])
def test_what_cannot_be_a_delimiter_is_not_taken_for_one(mark: str) -> None:
    table = read(f"sep={mark}\ncode,plants\nA1,100\n")
    assert values(table) == [("A1", "100", None)]
    assert codes(table.remarks.warnings) == ["rows_above_heading"]


@pytest.mark.parametrize(
    "heading",
    [
        "CODE;Plants;Note",
        " code ;\ufeffplants;\xa0note",
        '"Code";"Plántas";Ñota',
        "code:;plants?;note",
    ],
)
def test_headings_are_read_as_people_write_them(heading: str) -> None:
    shape = replace(SHAPE, titles={"plantas": "plants", "nota": "note"})
    assert values(read(f"{heading}\nA1;100;x\n", shape)) == [("A1", "100", "x")]


def test_a_columns_own_name_stands_before_what_else_it_is_called() -> None:
    shape = replace(SHAPE, titles={"plantas": "plants"})
    table = read("code;Plantas;plants\nA1;7;100\n", shape)
    assert values(table) == [("A1", "100", None)]
    assert [(w.notice.code, w.letter) for w in table.remarks.warnings] == [("column_not_read", "B")]
    with pytest.raises(TableRefused, match="Two columns"):
        read("code;Plantas;PLANTAS\nA1;7;100\n", shape).require_faultless()


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_that_says_the_delimiter_is_no_row(line: str) -> None:
    table = read(f"{line}\r\ncode;plants\r\nA1;100\r\n")
    assert values(table) == [("A1", "100", None)]
    assert table.rows[0].number == 2  # as the spreadsheet numbers it
    assert table.remarks.warnings == []


def test_a_delimiter_that_is_said_stands_against_one_that_fits_better() -> None:
    assert refused("sep=;\ncode,plants\nA1,100\n")[0]["code"] == "column_missing"


def test_latin_1_is_read_and_said() -> None:
    table = read("code;plants;note\nA1;100;ñandú á é í ó ú ü Ñ 5º\n".encode("cp1252"))
    assert values(table)[0][2] == "ñandú á é í ó ú ü Ñ 5º"
    assert codes(table.remarks.warnings) == ["encoding_assumed"]


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman"])
@pytest.mark.parametrize("note", ["ñandú", "maceta pequeña", "día"])
def test_an_encoding_that_cannot_be_known_is_not_guessed(encoding: str, note: str) -> None:
    (fault,) = refused(f"code;plants;note\nA1;100;{note}\n".encode(encoding))
    assert fault["code"] == "unknown_encoding"
    assert "line 2" in fault["message"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_table"),
        (b" \r\n\n", "empty_table"),
        (b"\xff\xfe", "empty_table"),
        (b"hello", "column_missing"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "column_missing"),
        (b"code,plants\nA1,1\0\n", "no_table"),
        (b"\xff\xfea\x00b", "broken_encoding"),
        (b"\xef\xbb\xbfcode\xff", "broken_encoding"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "old_workbook"),
        (b"PK\x03\x04rubbish", "broken_file"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content: bytes, code: str) -> None:
    assert refused(content)[0]["code"] == code


def test_missing_columns_are_all_named() -> None:
    faults = refused("note;price\nx;1\n")
    assert [(f["column"], f["row"], f["code"]) for f in faults] == [
        ("code", 1, "column_missing"),
        ("plants", 1, "column_missing"),
    ]


def test_two_columns_of_one_name_are_refused_with_both_letters() -> None:
    (fault,) = refused("code,plants,Plants \nA1,100,7\n")
    assert fault["code"] == "column_twice"
    assert "B and C" in fault["message"]


def test_a_title_above_the_heading_is_named() -> None:
    table = read("Planilla de conteo, noviembre;;\n\ncode;plants;note\nA1;100;\n")
    assert values(table) == [("A1", "100", "")]
    assert table.heading.row == 3
    assert codes(table.remarks.warnings) == ["rows_above_heading"]


def test_columns_that_are_not_read_are_named() -> None:
    table = read("code;Who;plants;;note\nA1;rosa;100;x;\n")
    assert [(w.notice.code, w.letter, w.row) for w in table.remarks.warnings] == [
        ("column_not_read", "B", 1),
        ("cells_not_read", "D", 2),
    ]
    table.require_faultless()


def test_cells_beyond_the_heading_are_faults_that_name_them() -> None:
    faults = refused("code,plants\nA1,100,,,,55\nA2,1,000\nA3,7,,\n")
    assert [(f["row"], f["letter"], f["value"]) for f in faults] == [
        (2, "F", "55"),
        (3, "C", "000"),
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('code,plants\nA1,"100\nA2,50\n', 2),
        ('code,plants,note\nA1,1,x\n\n"A2,50,\nA3,7,\n', 4),
        ('code,plants,note\nA1,100,"open\nA2,200,"note"\n', 2),
        ('code,plants,note\nA1,100,"open\nA2,200,""\n', 2),
    ],
)
def test_a_quote_that_is_not_closed_names_its_line(content: str, line: int) -> None:
    (fault,) = refused(content)
    assert fault["code"] == "broken_quotes"
    assert f"line {line}" in fault["message"]


def test_a_row_within_quotes_is_not_taken_for_a_note() -> None:
    (fault,) = refused('code,plants,note\nA1,100,"open\nA2,200,closed"\nA3,7,\n')
    assert (fault["code"], fault["row"], fault["letter"]) == ("swallowed_row", 2, "C")


def test_a_note_of_several_lines_is_one_cell() -> None:
    table = read('code,plants,note\nA1,100,"two\nlines, and\r\nmore"\nA2,7,\n')
    assert values(table) == [("A1", "100", "two\nlines, and\r\nmore"), ("A2", "7", "")]
    assert [row.number for row in table.rows] == [2, 3]
    table.require_faultless()


def test_blank_rows_count_and_are_no_rows() -> None:
    table = read("code,plants\n\n,\nA1,100\n , \n\nA2,7\n")
    assert [row.number for row in table.rows] == [4, 7]


def test_more_rows_than_a_table_may_have_are_refused() -> None:
    content = "code,plants\n" + "A1,1\n" * 1_000
    assert len(read(content).rows) == 1_000
    assert refused(content + "A1,1\n")[0]["code"] == "table_too_large"


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            st.integers(0, 10**6).map(str),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        ),
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8-sig", "utf-8", "utf-16"]),
    st.booleans(),
)
def test_every_cell_comes_back(
    rows, delimiter: str, end: str, encoding: str, is_said: bool
) -> None:
    stream = io.StringIO(newline="")
    if is_said:
        stream.write(f"sep={delimiter}{end}")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADING, *rows])
    table = read(stream.getvalue().encode(encoding))
    assert values(table) == rows


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_named_refusal(content: bytes) -> None:
    for prefix in (b"", b"code,plants\n", b"\xff\xfe", b"PK\x03\x04"):
        with suppress(TableRefused):
            table = read(prefix + content)
            assert all(len(row.values) == len(table.heading.columns) for row in table.rows)


MANY = MOST_BYTES - 1_000
HOSTILE = {
    "newlines": b"\n" * MANY,
    "newlines below a heading": b"code,plants\n" + b"\n" * MANY,
    "delimiters": b"code,plants\n" + b"," * MANY,
    "rows of delimiters": b"code,plants\n" + (b"," * 16_383 + b"\n") * (MANY // 16_384) + b'"',
    "rows too wide": b"code,plants\n" + (b"1" + b",1" * 16_383 + b"\n") * (MANY // 32_768),
    "a row of 500,000 cells": b"code,plants\n" + b"1," * 499_999,
    "one cell": b"code,plants\n" + b"a" * MANY,
    "one quoted cell": b'code,plants\n"' + b"a\n" * (MANY // 2) + b'"',
    "quoted cells of lines": b"code,plants\n" + b'"\n",' * (MANY // 4),
    "rows": b"code,plants\n" + b"A,1\n" * (MANY // 4),
    "titles": b"x\n" * (MANY // 2),
    "utf-16 newlines": b"\xff\xfe" + b"\n\0" * (MANY // 2),
    "a byte too many": b"code,plants\n" + b"A,1\n" * (MOST_BYTES // 4),
    "many faults": b"code,plants\n" + b"A,1,2\n" * 900,
}


def test_a_large_file_is_refused_soon_and_costs_little_memory() -> None:
    """Each hostile file in a process that may have 100 MB more than their own content."""
    code = """
import resource, time
from core.test_tabular_csv import HOSTILE, refused
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + 100_000_000,) * 2)
for name, content in HOSTILE.items():
    before = time.process_time()
    assert refused(content), name
    spent = time.process_time() - before
    print(name, spent, flush=True)
    assert spent < 10  # under 2 on a machine with nothing else to do
"""
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
