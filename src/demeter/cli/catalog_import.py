"""``demeter catalog import``: a price list, species by packaging, seedling trays, products."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from demeter.cli.imports import Profile, Yes, import_files
from demeter.cli.output import AsJson, Preview, User


def import_list(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX")],
    *,
    profile: Profile = None,
    user: User = None,
    preview: Preview = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import a price list, species by packaging, seedling trays or products; never stock."""
    import_files(
        [file],
        kind_name=None,
        profile=profile,
        preview=preview,
        yes=yes,
        as_json=as_json,
        user=user,
    )
