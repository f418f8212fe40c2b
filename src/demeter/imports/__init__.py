"""Imports: files in, a preview with a verdict for each row, one transaction, and back again."""
