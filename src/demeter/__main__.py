"""``python -m demeter`` is the command ``demeter``."""

from demeter.cli import main

if __name__ == "__main__":  # processes that render import this file, too
    main()
