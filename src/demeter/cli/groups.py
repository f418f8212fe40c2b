"""A feature's group of commands: one look of the help, and no completion of its own."""

from __future__ import annotations

from typing import Any

import typer


def command_group(**options: Any) -> typer.Typer:
    """A Typer app whose help is plain text: Rich's takes longer to import than a command to run.

    Completion is installed at the root alone.
    """
    return typer.Typer(
        **options, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
