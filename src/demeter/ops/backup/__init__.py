"""Backups: the database and the photos that it names, kept together and brought back together."""
