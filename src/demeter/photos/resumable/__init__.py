"""Uploads in chunks, which a lost connection does not undo."""
