"""``demeter catalog``: products, packaging, prices and what belongs to them."""

from __future__ import annotations

from demeter.catalog.registers import CATALOG
from demeter.cli.catalog_import import import_list
from demeter.cli.groups import command_group
from demeter.cli.registers import add_commands
from demeter.pricing.registers import PRICES

app = command_group(help="The catalog: products, packaging, prices.", no_args_is_help=True)
add_commands(app, *CATALOG, PRICES)
app.command("import")(import_list)
