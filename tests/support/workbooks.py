"""Workbooks built part by part, so that a test says exactly what stands in them, and read back."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter
from python_calamine import CalamineWorkbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
DATE, MOMENT = 1, 2  # styles of cells


def cell(place: str, value: Any, *, style: int = 0, formula: str | None = None) -> str:
    """One cell of a sheet's XML; ``None`` as value leaves it out."""
    kind = ' t="inlineStr"' if isinstance(value, str) else ""
    inner = "" if formula is None else f"<f>{escape(formula)}</f>"
    if isinstance(value, str):
        inner += f"<is><t>{escape(value)}</t></is>"
    elif value is not None:
        inner += f"<v>{value}</v>"
    return f'<c r="{place}" s="{style}"{kind}>{inner}</c>'


def row(number: int, *values: Any, attributes: str = "") -> str:
    """A row from column A on; ``None`` leaves a cell out, XML of a cell is taken as it is."""
    cells = []
    for index, value in enumerate(values):
        is_xml = isinstance(value, str) and value.startswith("<c ")
        if value is not None:
            cells.append(value if is_xml else cell(f"{chr(65 + index)}{number}", value))
    return f'<row r="{number}" {attributes}>{"".join(cells)}</row>'


def sheet(*rows: str, before: str = "", after: str = "") -> str:
    """A sheet's XML with what stands before and after its rows."""
    return (
        f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">{before}'
        f"<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"
    )


def parts_of(
    sheets: dict[str, str],
    *,
    texts: Sequence[str] | None = None,
    hidden: Sequence[str] = (),
    is_1904: bool = False,
) -> dict[str, str]:
    """The parts of a workbook by their names."""
    names = list(sheets)
    states = {name: ' state="hidden"' if name in hidden else "" for name in names}
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"{states[name]}/>'
        for n, name in enumerate(names, start=1)
    )
    relations = [("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(names) + 1)]
    relations += [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        f'<workbookPr date1904="{int(is_1904)}"/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(relations),
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="3"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    if texts is not None:
        items = "".join(f"<si>{text}</si>" for text in texts)
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{items}</sst>'
    for n, xml in enumerate(sheets.values(), start=1):
        parts[f"xl/worksheets/sheet{n}.xml"] = xml
    return parts


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{rows}</Relationships>'


def packed(parts: dict[str, str | bytes] | dict[str, str]) -> bytes:
    """Parts as a file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()


def workbook(*rows: str, before: str = "", after: str = "", **options: Any) -> bytes:
    """A workbook of one sheet, named S."""
    return packed(parts_of({"S": sheet(*rows, before=before, after=after)}, **options))


def table(*rows: Sequence[Any]) -> bytes:
    """A plain workbook of one sheet, as a spreadsheet program writes it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet("S")
        for number, values in enumerate(rows):
            page.write_row(number, 0, ["" if value is None else value for value in values])
    return content.getvalue()


def rows_of(content: bytes, name: str | None = None) -> list[list[Any]]:
    """The rows of a sheet, the first unless it is named, from A1 on."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    chosen = book.get_sheet_by_index(0) if name is None else book.get_sheet_by_name(name)
    return chosen.to_python(skip_empty_area=False)


def formulas_of(content: bytes, number: int = 1) -> dict[str, str]:
    """The formulas of a sheet by their cells."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        xml = package.read(f"xl/worksheets/sheet{number}.xml").decode()
    return dict(re.findall(r'<c r="([A-Z]+[0-9]+)"[^>]*><f>([^<]*)</f>', xml))
