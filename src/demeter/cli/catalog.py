"""``demeter catalog``: products, packaging, prices and what belongs to them."""

from __future__ import annotations

from demeter.cli.catalog_import import import_list
from demeter.cli.groups import command_group

app = command_group(help="The catalog: products, packaging, prices.", no_args_is_help=True)
app.command("import")(import_list)


@app.callback()
def _catalog() -> None:
    """The catalog: products, packaging, prices."""
