"""Tables on a terminal, in a file, and narrow: no cell is cut, none is taken for markup."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from demeter.cli.tables import RowTable

COMMANDS = Path(__file__).parents[2] / "src" / "demeter" / "cli"
HEADINGS = ("location", "product", "plants", "reason")
ROWS = [
    (f"NAVE-07-CANTERO-{n:02}-CLARO-0{n}", f"ECHEVERIA-ELEGANS-LARGA-{n}", str(n), "see [note] [/]")
    for n in range(3)
]


def printed(rows: list[tuple[str, ...]], *, width: int, is_terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=is_terminal, highlight=False, no_color=True
    )
    table = RowTable(*HEADINGS)
    for row in rows:
        table.add_row(*row)
    table.print(console)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


@pytest.mark.parametrize("width", [20, 80, 130, 300])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_every_cell_is_shown_whole_however_narrow(width: int, is_terminal: bool) -> None:
    text = printed(ROWS, width=width, is_terminal=is_terminal)
    assert all(cell in text for row in ROWS for cell in row)
    assert "…" not in text


def test_a_line_of_a_narrow_terminal_is_no_longer_than_it() -> None:
    text = printed(ROWS, width=80, is_terminal=True)
    assert max(map(len, text.splitlines())) <= 80


def test_a_table_in_a_file_has_one_line_a_row() -> None:
    text = printed(ROWS, width=80, is_terminal=False)
    assert all(any(all(cell in line for cell in row) for line in text.splitlines()) for row in ROWS)


CELLS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=40)


@settings(max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4), st.integers(30, 200))
def test_no_cell_is_markup(rows: list[tuple[str, ...]], width: int) -> None:
    for is_terminal in (True, False):
        text = printed(rows, width=width, is_terminal=is_terminal)
        assert all(cell in text for row in rows for cell in row)


def test_commands_print_tables_in_one_way() -> None:
    others = {"tables.py", "doctor.py"}  # doctor's sentences wrap, and nothing in it is a code
    direct = [
        path.name
        for path in COMMANDS.glob("*.py")
        if path.name not in others and re.search(r"rich\.table|[^w]Table\(", path.read_text())
    ]
    assert direct == []
