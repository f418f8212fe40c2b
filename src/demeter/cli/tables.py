"""Tables of commands: nothing is cut, for what is cut no longer tells two rows apart."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNBOUNDED = 100_000  # columns of a terminal that no table fills
_GAP = "  "
_out = Console(highlight=False)


class RowTable:
    """Headings and rows; cells are shown as they are, brackets too."""

    def __init__(self, *headings: str, title: str | None = None) -> None:
        self._headings, self._title = headings, title
        self._rows: list[list[str]] = []

    def add_row(self, *cells: str | None) -> None:
        """One more row, a cell for each heading."""
        self._rows.append(["" if cell is None else cell for cell in cells])

    def print(self, console: Console = _out) -> None:
        """Print the table as wide as it is.

        On a terminal that is narrower each row is written as headings with their cells.
        """
        table = Table(title=self._title)
        for heading in self._headings:
            table.add_column(Text(heading))
        for row in self._rows:
            table.add_row(*(Text(cell) for cell in row))
        width = Console(width=_UNBOUNDED).measure(table).maximum
        if console.is_terminal and width > console.width:
            self._print_rows(console)
        else:
            wide = Console(
                file=console.file,
                highlight=False,
                width=max(width, console.width),
                force_terminal=console.is_terminal,
                no_color=console.no_color,
            )
            wide.print(table)

    def _print_rows(self, console: Console) -> None:
        if self._title:
            console.print(Text(self._title, "italic"))
        for row in self._rows:
            line = Text()
            for heading, cell in zip(self._headings, row, strict=True):
                pair = Text.assemble((f"{heading} ", "dim"), cell) if cell else Text()
                if line and len(line) + len(pair) + len(_GAP) > console.width:
                    console.print(line, soft_wrap=True)
                    line = Text(_GAP)
                line = line + _GAP + pair if line.plain.strip() and pair else line + pair
            console.print(line, soft_wrap=True)
