"""The one reader of tables: which sheet, which heading, its rows; and what is odd about them.

No row, cell or column disappears in silence: what is not read is named in a warning, and what
might be meant otherwise is a fault.
"""

from __future__ import annotations

import threading

from demeter.core.notices import Notice
from demeter.core.tabular.csv_rows import open_csv
from demeter.core.tabular.errors import TableRefused, too_large
from demeter.core.tabular.headings import HEADING_WITHIN_ROWS, choose_sheet
from demeter.core.tabular.raw import MOST_BYTES, RawSheet
from demeter.core.tabular.remarks import Remarks
from demeter.core.tabular.row_checks import checked_rows
from demeter.core.tabular.tables import Table, TableFile, TableShape
from demeter.core.tabular.xlsx_rows import open_xlsx

CELLS_A_ROW = 10  # of the most rows that a table may have; other sheets share in them
ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # XLS, and XLSX with a password

# The memory of a large file is spent once at a time; a parse holds the interpreter anyway.
_one_at_a_time = threading.Lock()


def read_table(file: TableFile, shape: TableShape) -> Table:
    """The rows below the heading of a CSV or XLSX file.

    The heading is the first row, of the first 20 with content, that has all required columns;
    of several sheets the one that has such a row.

    Raises:
        TableRefused: the shape's own; no table can be read, and why. Faults of rows and cells
            are left among the table's remarks.
    """
    remarks = Remarks()
    with _one_at_a_time:
        try:
            sheets = open_sheets(file, shape, remarks)
            sheet, heading = choose_sheet(sheets, file.sheet, shape, remarks)
            rows = tuple(checked_rows(sheet, heading, shape, remarks))
        except TableRefused as error:
            raise shape.error(error.message, **error.context, file=file.name) from error
    return Table(shape, heading, rows, remarks, file.name)


def open_sheets(file: TableFile, shape: TableShape, remarks: Remarks) -> list[RawSheet]:
    """The sheets of a workbook, or a CSV file by each delimiter that it may have.

    Raises:
        TableRefused: it is no table.
    """
    content = file.content()
    if len(content) > MOST_BYTES:
        raise too_large(MOST_BYTES, "bytes")
    if not content.strip():
        raise TableRefused.because(Notice("empty_table", {"rows": HEADING_WITHIN_ROWS}))
    if content.startswith(ZIP):
        return open_xlsx(content, shape.most_rows * CELLS_A_ROW)
    if content.startswith(OLD_OFFICE):
        raise TableRefused.because(Notice("old_workbook"))
    sheets, warning = open_csv(content)
    if warning is not None:
        remarks.add_warning(warning)
    return sheets
