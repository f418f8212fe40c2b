"""Tables that Demeter writes: texts stay texts, unknown is no 0, and what it writes it reads."""

from __future__ import annotations

import io
from datetime import date

import pytest

from demeter.core.tabular.errors import TableRefused
from demeter.core.tabular.pdf_writing import PaperTable, document
from demeter.core.tabular.reading import read_table
from demeter.core.tabular.tables import TableFile, TableShape
from demeter.core.tabular.xlsx_writing import SheetContent, Sums, known_rows, workbook
from support.workbooks import formulas_of, rows_of

SUMS = Sums("Total", (1, 2), "{} lines are left out".format)


def test_texts_stay_texts() -> None:
    words = ["=1+1", "http://example.org", "+5", "@x", "1.000", "ñandú", "a\nb"]
    content = workbook([SheetContent("S", ["word"], [[w] for w in words])])
    assert [row[0] for row in rows_of(content)] == ["word", *words]
    assert formulas_of(content) == {}


def test_a_text_longer_than_a_cell_is_shortened_and_shows_it() -> None:
    content = workbook([SheetContent("S", ["word"], [["x" * 40_000]])])
    assert rows_of(content)[1][0] == "x" * 32_766 + "…"


def test_sums_are_of_whole_rows() -> None:
    rows = [["A1", 406, 400], ["A2", 303, None], ["A3", 0, 3]]
    content = workbook([SheetContent("S", ["bed", "before", "after"], rows, sums=SUMS)])
    assert rows_of(content)[2:] == [
        ["A2", 303, "—"],
        ["A3", 0, 3],
        ["Total", 406, 403],
        ["1 lines are left out", "", ""],
    ]
    assert formulas_of(content)["B5"] == "SUMPRODUCT(ISNUMBER(C2:C4),B2:B4)"
    assert known_rows(rows, (1, 2)) == [0, 2]


@pytest.mark.parametrize(
    ("rows", "total"),
    [([], [0, 0]), ([["A1", 1, 2]], [1, 2]), ([["A1", None, None]], ["—", "—"])],
)
def test_sums_of_none_of_one_and_of_unknown_alone(rows: list, total: list) -> None:
    content = workbook([SheetContent("S", ["bed", "before", "after"], rows, sums=SUMS)])
    assert rows_of(content)[len(rows) + 1][1:] == total


def test_any_name_becomes_a_sheets_name() -> None:
    names = ["A" * 50, "A" * 40, "a[b]:c*?/\\", "History", "", "'x'", "S", "s"]
    content = workbook([SheetContent(name, ["h"], [[name]]) for name in names])
    assert [rows_of(content, name)[0] for name in ("History 2", "S", "s 2", "-")] == [["h"]] * 4


def test_a_form_is_open_where_it_is_to_be_filled() -> None:
    content = workbook(
        [
            SheetContent(
                "count", ["code", "plants"], [["A1"], ["A2"]], widths={0: 20, 1: 9},
                to_fill=(1,), whole_numbers=(1,),
            )
        ]
    )  # fmt: skip
    assert rows_of(content) == [["code", "plants"], ["A1", ""], ["A2", ""]]


def test_what_is_written_is_read() -> None:
    rows = [["A1", 5, "x"], ["A2", None, ""], ["A3", 0, "—"]]
    content = workbook([SheetContent("S", ["code", "plants", "note"], rows)])
    shape = TableShape(("code", "plants", "note"), (), 10, TableRefused)
    table = read_table(TableFile("x.xlsx", io.BytesIO(content)), shape)
    assert [row.cell("plants").value for row in table.rows] == [5.0, "—", 0.0]
    assert table.remarks.warnings == []


@pytest.mark.parametrize("is_form", [True, False])
@pytest.mark.parametrize("is_wide", [True, False])
def test_paper_holds_long_and_odd_texts(is_form: bool, is_wide: bool) -> None:
    rows = [["A" * 200, "<b>&", "word " * 1_000], ["", "ñ", str(date(2026, 3, 1))]] * 3
    table = PaperTable(["one", "two", "three"], rows, [30, 20, 40], frozenset({1}), is_form)
    content = document("<Title> & more", ["a <sentence>", table, "the end"], is_wide=is_wide)
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 2
