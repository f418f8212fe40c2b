"""Pixels in, frozen values out: no database, no HTTP, no state between calls."""
