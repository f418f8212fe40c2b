"""What is odd and refuses nothing, said on standard error."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from demeter.core.notices import Notice
from demeter.core.wording import english

_err = Console(stderr=True, highlight=False)


def print_notice(notice: Notice) -> None:
    """One line that begins as every warning does."""
    _err.print(f"[yellow]Warning:[/yellow] {escape(english(notice))}", soft_wrap=True)
