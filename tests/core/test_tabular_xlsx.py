# ruff: noqa: DTZ001  a spreadsheet's times have no offset
"""Workbooks as people and programs leave them: all that stands in a sheet is read or named."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.core.notices import Notice
from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.raw import letters
from demeter.core.tabular.reading import read_table
from demeter.core.tabular.tables import Table, TableFile, TableShape
from support.workbooks import (
    DATE,
    MAIN,
    MOMENT,
    cell,
    packed,
    parts_of,
    row,
    sheet,
    table,
    workbook,
)

SHAPE = TableShape(("code", "plants"), ("note",), 100_000, TableRefused)
HEADING = row(1, "code", "plants", "note")


def read(content: bytes, chosen: str | None = None) -> Table:
    return read_table(TableFile("file.xlsx", io.BytesIO(content), chosen), SHAPE)


def values(table_read: Table) -> list[tuple[Any, ...]]:
    return [tuple(r.cell(n).value for n in ("code", "plants", "note")) for r in table_read.rows]


def refused(content: bytes, chosen: str | None = None) -> list[dict[str, Any]]:
    with pytest.raises(TableRefused) as caught:
        read(content, chosen).require_faultless()
    return [fault | {"code": fault["notice"]["code"]} for fault in caught.value.context["faults"]]


def warned(table_read: Table) -> list[tuple[str, int | None, str | None]]:
    return [(w.notice.code, w.row, w.letter) for w in table_read.remarks.warnings]


ROWS = [("A1", 100.0, "x"), ("A2", 255.0, ""), ("A3", 18.0, "y")]


def test_a_plain_workbook_is_read() -> None:
    read_back = read(table(["code", "plants", "note"], *ROWS))
    assert values(read_back) == ROWS
    assert read_back.remarks.warnings == []
    plants = read_back.rows[1].cell("plants")
    assert (plants.sheet, plants.row, plants.letter, plants.column) == ("S", 3, "B", "plants")


@pytest.mark.parametrize(
    "dimension", ["", "A1", "A1:A1", "A1:C2", "A1:B4", "B2:C3", "A1:XFD1048576", "C9:A1"]
)
def test_a_wrong_dimension_loses_nothing(dimension: str) -> None:
    rows = [row(n, *cells) for n, cells in enumerate(ROWS, start=2)]
    before = f'<dimension ref="{dimension}"/>' if dimension else ""
    assert values(read(workbook(HEADING, *rows, before=before))) == ROWS


CODES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=9)


@given(
    st.dictionaries(
        st.integers(2, 60), st.tuples(CODES, st.integers(0, 10**7), st.none() | CODES), max_size=8
    ),
    st.sampled_from(["", "A1", "A1:B2", "B3:C9", "A1:XFD1048576"]),
    st.sampled_from(["inline", "shared", "formula"]),
    st.randoms(use_true_random=False),
)
def test_every_cell_of_any_table_comes_back(
    rows: dict[int, tuple[str, int, str | None]], dimension: str, kind: str, chance: random.Random
) -> None:
    """Whatever the sheet says of its size, and in whatever order its rows stand."""
    texts: list[str] = []

    def text_cell(place: str, words: str) -> str:
        if kind == "inline":
            return cell(place, words)
        if kind == "formula":
            return f'<c r="{place}" t="str"><f>B1</f><v>{words}</v></c>'
        texts.append(f"<t>{words}</t>")
        return f'<c r="{place}" t="s"><v>{len(texts) - 1}</v></c>'

    xml_rows = [HEADING]
    for number, (code, plants, note) in rows.items():
        cells = [text_cell(f"A{number}", code), cell(f"B{number}", plants)]
        cells += [] if note is None else [text_cell(f"C{number}", note)]
        xml_rows.append(row(number, *cells))
    chance.shuffle(xml_rows)
    said = f'<dimension ref="{dimension}"/>' if dimension else ""
    table_read = read(workbook(*xml_rows, before=said, texts=texts))
    assert {r.number: (r.cell("code").value, r.cell("plants").value, r.cell("note").value or None)
            for r in table_read.rows} == rows  # fmt: skip
    assert table_read.remarks.warnings == []


@given(
    st.sets(st.sampled_from(["A2", "B2", "C2", "D2", "A3", "B3", "C3", "E3", "B5", "F9"])),
    st.sampled_from(["<v/>", "<f>1+1</f>", "<f>1+1</f><v></v>", "<f>1+1</f><v>7</v>"]),
    st.sampled_from(["n", "str", "e", "b"]),
)
def test_no_cell_disappears(places: set[str], inner: str, kind: str) -> None:
    """Each cell with something in it is read, or named by its place."""
    by_row: dict[int, list[str]] = {}
    for place in sorted(places):
        by_row.setdefault(int(place[1:]), []).append(f'<c r="{place}" t="{kind}">{inner}</c>')
    xml_rows = [f'<row r="{n}">{"".join(cells)}</row>' for n, cells in sorted(by_row.items())]
    try:
        table_read = read(workbook(HEADING, *xml_rows))
    except TableRefused as error:
        assert error.context["faults"]  # noqa: PT017
        return
    is_empty = inner == "<v/>" or (kind == "str" and inner.endswith("<v></v>"))
    read_places = {
        f"{r.cell(name).letter}{r.number}"
        for r in table_read.rows
        for name in ("code", "plants", "note")
        if not r.cell(name).is_blank
    }
    named = {row_number for code, row_number, _ in warned(table_read) if code == "cells_not_read"}
    expected = set() if is_empty else places
    assert {place for place in expected if place[0] in "ABC"} == read_places
    assert {int(place[1:]) for place in expected if place[0] not in "ABC"} == named


def test_cells_and_rows_without_a_place_follow_each_other() -> None:
    heading = [f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in ("code", "plants")]
    rows = [
        f"<row>{''.join(heading)}</row>",
        "<row><c t='inlineStr'><is><t>A1</t></is></c><c><v>7</v></c></row>",
        "<row><c/><c><v>8</v></c></row>",
    ]
    read_back = read(workbook(*rows))
    assert [(r.number, r.cell("code").value, r.cell("plants").value) for r in read_back.rows] == [
        (2, "A1", 7.0),
        (3, "", 8.0),
    ]


def test_rows_in_any_order_are_read_where_they_say() -> None:
    content = workbook(row(9, "A3", 18), HEADING, row(4, "A1", 100), row(2, "A2", 255))
    assert [(r.number, r.cell("plants").value) for r in read(content).rows] == [
        (2, 255.0),
        (4, 100.0),
        (9, 18.0),
    ]


def test_a_table_that_begins_far_from_the_corner_keeps_its_letters() -> None:
    heading = f'<row r="5">{cell("D5", "code")}{cell("F5", "plants")}</row>'
    body = f'<row r="7">{cell("D7", "A1")}{cell("F7", 12)}</row>'
    read_back = read(workbook(heading, body))
    plants = read_back.rows[0].cell("plants")
    assert (plants.value, plants.row, plants.letter, plants.column) == (12.0, 7, "F", "plants")


@pytest.mark.parametrize(
    "formula",
    [
        '<c r="B2"><f>60+43</f></c>',
        '<c r="B2"><f>60+43</f><v/></c>',
        '<c r="B2"><f>60+43</f><v> </v></c>',
        '<c r="B2" t="str"><f>60+43</f></c>',
        '<c r="B2" t="n"><f t="shared" si="0"/></c>',
    ],
)
def test_a_formula_without_a_value_is_named(formula: str) -> None:
    content = workbook(HEADING, row(2, "A1", formula), row(3, "A2", 5))
    (plants, other) = (r.cell("plants") for r in read(content).rows)
    assert not plants.is_blank
    assert (plants.value.notice.code, plants.row, plants.letter) == (
        "formula_without_value",
        2,
        "B",
    )
    assert other.value == 5.0


def test_a_formula_with_a_value_is_its_value() -> None:
    content = workbook(
        HEADING,
        row(2, "A1", cell("B2", 103, formula="60+43")),
        row(3, "A2", '<c r="B3" t="str"><f>IF(A3="","",1)</f><v></v></c>'),
    )
    assert [r.cell("plants").value for r in read(content).rows] == [103.0, ""]


def test_a_row_that_is_a_formula_alone_is_not_lost() -> None:
    content = workbook(HEADING, row(2, "A1", 5), row(9, None, '<c r="B9"><f>1</f></c>'))
    assert [r.number for r in read(content).rows] == [2, 9]


def test_an_error_value_is_named() -> None:
    content = workbook(HEADING, row(2, "A1", '<c r="B2" t="e"><f>A9</f><v>#REF!</v></c>'))
    value = read(content).rows[0].cell("plants").value
    assert value.notice == Notice("error_value", {"error": "#REF!"})


def test_hidden_rows_and_columns_are_read_and_said() -> None:
    hidden = 'hidden="1"'
    content = workbook(
        row(1, "code", "plants", "note", attributes=hidden),
        row(2, "A1", 100),
        row(3, "A2", 255, attributes=hidden),
        row(4, "A3", 18, attributes='hidden="true"'),
        row(5, attributes=hidden),
        row(6, "A4", 1),
        row(9, "A5", 2, attributes=hidden),
        before=f'<cols><col min="2" max="2" {hidden}/><col min="7" max="16384" {hidden}/></cols>',
    )
    read_back = read(content)
    assert [r.cell("plants").value for r in read_back.rows] == [100.0, 255.0, 18.0, 1.0, 2.0]
    assert warned(read_back) == [("hidden_column", None, "B"), ("hidden_rows", 3, None)]
    assert read_back.remarks.warnings[1].notice.params == {"rows": "3–4, 9"}


def merged(*ranges: str) -> str:
    cells = "".join(f'<mergeCell ref="{r}"/>' for r in ranges)
    return f"<mergeCells>{cells}</mergeCells>"


def test_merged_cells_count_for_the_first_and_are_named() -> None:
    content = workbook(
        HEADING, row(2, "A1", 50), row(3, None, 60), row(4, "A2", 7), after=merged("A2:A3")
    )
    read_back = read(content)
    covered = read_back.rows[1].cell("code")
    assert covered.value.notice.code == "covered_cell"
    assert covered.value.notice.params == {"range": "A2:A3", "first": "A2"}
    assert warned(read_back) == [("merged_cells", 2, "A")]


def test_what_lies_beneath_merged_cells_is_named() -> None:
    content = workbook(HEADING, row(2, "A1", 50), row(3, "A2", 60), after=merged("B2:B3"))
    assert read(content).rows[1].cell("plants").value.notice.code == "covered_cell"


def test_merged_cells_without_a_value_cover_nothing() -> None:
    content = workbook(
        row(1, "Count of November"), row(2, "code", "plants", "note"), row(3, "A1", 50),
        row(4, "A2", 60, "x"), after=merged("A1:C1", "C3:D3", "C5:C9", "E3:E4"),
    )  # fmt: skip
    read_back = read(content)
    assert values(read_back) == [("A1", 50.0, ""), ("A2", 60.0, "x")]
    assert warned(read_back)[0][0] == "rows_above_heading"


def test_the_sheet_whose_heading_fits_is_read_and_others_are_named() -> None:
    content = packed(
        parts_of(
            {
                "Portada": sheet(row(1, "Conteo de noviembre")),
                "count": sheet(HEADING, row(2, "A1", 100)),
                "empty": sheet(),
            }
        )
    )
    read_back = read(content)
    assert values(read_back) == [("A1", 100.0, "")]
    assert [(w.notice.code, w.sheet) for w in read_back.remarks.warnings] == [
        ("sheet_not_read", "Portada")
    ]
    assert read_back.rows[0].cell("plants").sheet == "count"


def test_of_two_sheets_that_fit_one_has_to_be_named() -> None:
    parts = parts_of(
        {"May": sheet(HEADING, row(2, "A1", 5)), "June": sheet(HEADING, row(2, "A1", 6))}
    )
    (fault,) = refused(packed(parts))
    assert fault["code"] == "several_sheets_fit"
    assert "'May', 'June'" in fault["message"]
    assert values(read(packed(parts), "june")) == [("A1", 6.0, "")]
    (fault,) = refused(packed(parts), "July")
    assert fault["code"] == "no_such_sheet"


def test_a_hidden_sheet_is_read_only_if_no_other_fits_and_is_said() -> None:
    sheets = {"May": sheet(HEADING, row(2, "A1", 5)), "June": sheet(HEADING, row(2, "A1", 6))}
    read_back = read(packed(parts_of(sheets, hidden=["May"])))
    assert values(read_back) == [("A1", 6.0, "")]
    assert [w.sheet for w in read_back.remarks.warnings] == ["May"]
    del sheets["June"]
    read_back = read(packed(parts_of(sheets, hidden=["May"])))
    assert values(read_back) == [("A1", 5.0, "")]
    assert [w.notice.code for w in read_back.remarks.warnings] == ["hidden_sheet"]


def test_two_columns_of_one_name_are_refused_with_both_letters() -> None:
    (fault,) = refused(workbook(row(1, "code", "plants", "PLANTS"), row(2, "A1", 5, 6)))
    assert (fault["code"], fault["letter"]) == ("column_twice", "C")
    assert "B and C" in fault["message"]


def test_cells_without_a_heading_are_named() -> None:
    content = workbook(row(1, "code", None, "plants"), row(2, "A1", "here", 5, "there"))
    assert warned(read(content)) == [("cells_not_read", 2, "B")]
    content = workbook(row(1, "code", "plants", 2026), row(2, "A1", 5, None, "there", "and there"))
    assert warned(read(content)) == [
        ("column_not_read", 1, "C"),
        ("cells_not_read", 2, "D"),
    ]


def test_dates_texts_and_booleans_are_what_they_are() -> None:
    texts = ["<t>code</t>", "<t>plants</t>", "<t>note</t>", "<r><t>ñan</t></r><r><t>dú</t></r>"]
    content = workbook(
        row(1, *(f'<c r="{c}1" t="s"><v>{n}</v></c>' for n, c in enumerate("ABC"))),
        row(2, '<c r="A2" t="s"><v>3</v></c>', cell("B2", 46353, style=DATE)),
        row(3, '<c r="A3" t="b"><v>1</v></c>', cell("B3", 46353.6875, style=MOMENT)),
        row(4, '<c r="A4" t="d"><v>2026-11-27</v></c>', '<c r="B4"><v>1E3</v></c>'),
        texts=texts,
    )
    assert values(read(content)) == [
        ("ñandú", date(2026, 11, 27), ""),
        (True, datetime(2026, 11, 27, 16, 30), ""),
        (date(2026, 11, 27), 1000.0, ""),
    ]


def test_a_workbook_may_count_its_days_from_1904() -> None:
    content = workbook(HEADING, row(2, cell("A2", 44891, style=DATE), 44891), is_1904=True)
    (only,) = read(content).rows
    assert only.cell("code").value == date(2026, 11, 27)
    assert only.cell("plants").epoch == date(1904, 1, 1)


def test_parts_may_be_named_with_backslashes_and_other_capitals() -> None:
    parts = parts_of({"S": sheet(HEADING, row(2, "A1", 5))})
    renamed = {name.replace("/", "\\").upper(): part for name, part in parts.items()}
    assert values(read(packed(renamed))) == [("A1", 5.0, "")]


def test_what_a_spreadsheet_prefixes_is_read() -> None:
    xml = sheet(HEADING, row(2, "A1", 5)).replace("<", "<x:").replace("<x:/", "</x:")
    xml = xml.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    assert values(read(packed(parts_of({"S": xml})))) == [("A1", 5.0, "")]


PARTS = parts_of(
    {"S": sheet(HEADING, row(2, "A1", '<c r="B2" t="s"><v>0</v></c>'), row(3, "A2", 5))},
    texts=["<t>7</t>"],
)
SHEET_PART = "xl/worksheets/sheet1.xml"


def changed(name: str, old: str, new: str) -> bytes:
    assert old in PARTS[name]
    return packed(PARTS | {name: PARTS[name].replace(old, new)})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(SHEET_PART, "<v>5</v>", "<v>five</v>"), "is to be a number"),
        (changed(SHEET_PART, "<v>0</v>", "<v>1</v>"), "has no text"),
        (changed(SHEET_PART, "<v>0</v>", "<v>-1</v>"), "has no text"),
        (changed(SHEET_PART, 'r="B3"', 'r="A3"'), "1 cell cannot"),
        (changed(SHEET_PART, 'r="B3"', 'r="3B"'), "is no cell"),
        (changed(SHEET_PART, 'r="B3"', 'r="ZZZZ99999999"'), "is no cell"),
        (changed(SHEET_PART, "</row>", ""), "damaged"),
        (changed(SHEET_PART, "<v>5</v>", "<v><![CDATA[5]]></v>"), "CDATA"),
        (changed(SHEET_PART, "<v>5</v>", "<v>5<!-- -->6</v>"), "<!-- -->"),
        (changed(SHEET_PART, "<v>5</v>", "<v>5</v><v>6</v>"), "<v> <v>"),
        (changed(SHEET_PART, "<v>5</v>", "<v>5<b>6</b></v>"), "<b>"),
        (changed("xl/sharedStrings.xml", "<t>7</t>", "<t>7<!-- -->8</t>"), "<!-- -->"),
        (changed(SHEET_PART, "<worksheet", "<!DOCTYPE x><worksheet"), "DOCTYPE"),
        (changed(SHEET_PART, "A1", "A\0"), "damaged"),
        (changed("xl/workbook.xml", 'r:id="rId1"', 'r:id="rId9"'), ""),
        (changed("xl/workbook.xml", "<sheets>", '<sheets><sheet name="s" r:id="rId1"/>'), "two"),
        (changed("xl/_rels/workbook.xml.rels", "worksheets/", "nowhere/"), "damaged"),
        (changed("xl/sharedStrings.xml", "</sst>", ""), "damaged"),
        (packed({k: v for k, v in PARTS.items() if k != "xl/sharedStrings.xml"}), "has no text"),
        (
            packed({k: v for k, v in PARTS.items() if k != "xl/workbook.xml"}),
            "neither CSV nor XLSX",
        ),
        (
            packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
            "neither CSV nor XLSX",
        ),
        (packed(PARTS | {"XL/workbook.XML": PARTS["xl/workbook.xml"]}), "two parts"),
        (packed(PARTS)[:-40], "damaged"),
        (b"PK\x03\x04" + b"\0" * 2_000, "damaged"),
    ],
)
def test_a_damaged_workbook_is_refused_by_name(content: bytes, words: str) -> None:
    (fault,) = refused(content)
    assert words in fault["message"]
    if fault["code"] in ("broken_number", "text_not_there"):
        assert (fault["sheet"], fault["letter"]) == ("S", "B")


def test_a_locked_or_oddly_packed_workbook_is_refused_by_name() -> None:
    content = bytearray(packed(PARTS))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            content[start + offset] |= 1  # says that it has a password
    assert "password" in refused(bytes(content))[0]["message"]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as package:
        for name, part in PARTS.items():
            package.writestr(name, part)
    assert values(read(stream.getvalue()))[0] == ("A1", "7", "")


def test_no_seeded_damage_is_more_than_a_refusal() -> None:
    """400 workbooks with bytes turned, cut off, left out or doubled, and XML with holes."""
    sheets = {
        "Portada": sheet(row(1, "x")),
        "S": sheet(
            HEADING,
            *(row(n, f"A{n}", n, cell(f"C{n}", 46353, style=DATE)) for n in range(2, 12)),
            row(12, "B", '<c r="B12" t="s"><v>1</v></c>', attributes='hidden="1"'),
            before='<cols><col min="2" max="2" hidden="1"/></cols>',
            after=merged("A3:A4", "C5:D6"),
        ),
    }
    parts = parts_of(sheets, texts=["<t>a</t>", "<t>b</t>"])
    whole = packed(parts)
    outcomes = {"read": 0, "refused": 0}
    for seed in range(400):
        try:
            read(damaged(whole, parts, random.Random(seed)))
        except TableRefused:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    assert min(outcomes.values()) > 10


def damaged(whole: bytes, parts: dict[str, str], chance: random.Random) -> bytes:
    kind = chance.randrange(6)
    content = bytearray(whole)
    if kind == 0:
        for _ in range(chance.randint(1, 20)):
            content[chance.randrange(4, len(content))] = chance.randrange(256)
        return bytes(content)
    if kind == 1:
        return bytes(content[: chance.randrange(4, len(content))])
    if kind == 2:
        start = chance.randrange(4, len(content))
        del content[start : start + chance.randint(1, 200)]
        return bytes(content)
    name = chance.choice(list(parts))
    if kind == 3:
        return packed({k: v for k, v in parts.items() if k != name})
    part = bytearray(parts[name].encode())
    if kind == 4:
        start = chance.randrange(len(part))
        del part[start : start + chance.randint(1, 40)]
    else:
        for _ in range(chance.randint(1, 4)):
            part[chance.randrange(len(part))] = chance.choice(b'<>/"=&;0159AZaz \0\xff')
    return packed({**parts, name: bytes(part)})


def many_cells(rows: int, columns: int, inner: str = "<v>1</v>") -> str:
    """Rows with as many cells, of which each holds the same."""
    names = [letters(n) for n in range(1, columns + 1)]
    xml = []
    for n in range(1, rows + 1):
        cells = "".join([f'<c r="{name}{n}">{inner}</c>' for name in names])
        xml.append(f'<row r="{n}">{cells}</row>')
    return "".join(xml)


def hostile() -> dict[str, bytes]:
    """Small files that are large once they are unpacked, or far apart, or many of something."""
    far = ["A1048576", "XFD1", "XFD1048576"]
    long_text = ["<t>" + "x" * 1_000_000 + "</t>"]
    shared = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 5_000))
    empty = "".join(f'<row r="{n}"/>' for n in range(1, 1_048_577))
    plain = parts_of({"S": sheet(HEADING)})
    return {
        "far cells": workbook(HEADING, *(row(2, cell(place, 1)) for place in far)),
        "a long text in many cells": workbook(shared, texts=long_text),
        "many cells": workbook(many_cells(50_000, 11)),
        "many empty cells": workbook(many_cells(50_000, 11, "")),
        "as many cells as may be": workbook(many_cells(49_000, 10)),
        "empty rows": workbook(HEADING, empty + row(1_048_577, 1)),
        "many formulas": workbook(many_cells(20_000, 1, "<f>1</f>")),
        "many texts": workbook(HEADING, texts=["<t/>"] * 510_000),
        "many merged cells": workbook(HEADING, after=merged(*["A1:A2"] * 100_001)),
        "merged cells on each other": workbook(
            *(row(n, "a") for n in range(1, 900)),
            after=merged(*["A1:Z1000"] * 90_000),
        ),
        "one long cell": workbook(row(1, "x" * 41_000_000)),
        "a bomb as a sheet": workbook(" " * 70_000_000),
        "a bomb as styles": packed(plain | {"xl/styles.xml": " " * 9_000_000}),
        "many parts": packed(plain | {f"xl/{n}.xml": "" for n in range(1_001)}),
        "many sheets": packed(parts_of({f"S{n}": sheet(HEADING) for n in range(201)})),
    }


def test_what_is_large_unpacked_is_refused_soon_and_costs_little_memory(tmp_path: Path) -> None:
    """Each hostile file in a process that may have 120 MB more than it has."""
    for name, content in hostile().items():
        assert len(content) < 4_000_000, name
        (tmp_path / name).write_bytes(content)
    code = """
import pathlib, resource, sys, time
from core.test_tabular_xlsx import refused
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + 120_000_000,) * 2)
for path in pathlib.Path(sys.argv[1]).iterdir():
    before = time.process_time()
    assert refused(path.read_bytes()), path.name
    spent = time.process_time() - before
    print(path.name, spent, flush=True)
    assert spent < 15  # under 5 on a machine with nothing else to do
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
