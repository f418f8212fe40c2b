"""How wrong a count may be: 90 % intervals, fitted and read."""
