"""``python -m demeter`` is the command ``demeter``."""

from demeter.cli import main

main()
