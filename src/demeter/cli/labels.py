"""``demeter labels``: QR labels of beds on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from demeter.cli.output import out
from demeter.core.db import transaction


def labels(
    file: Annotated[Path, typer.Argument(metavar="OUT.pdf", help="where it goes")],
    *,
    warehouse: Annotated[
        str | None, typer.Option(metavar="CODE", help="only of this greenhouse")
    ] = None,
    sheet: Annotated[
        Literal["3x8", "3x7", "2x7", "2x4", "page"],
        typer.Option("--format", help="labels across and down an A4 sheet, or one a page"),
    ] = "3x8",
) -> None:
    """Write QR labels of beds as PDF: code, name, and the QR that is read in photos."""
    from demeter.locations import labels as sheets  # noqa: PLC0415  writers are slow to import

    with transaction() as session:
        beds = sheets.bed_labels(session, warehouse)
    file.write_bytes(sheets.labels_pdf(beds, sheet))
    out.print(f"{len(beds)} labels in {file}", soft_wrap=True, markup=False)
