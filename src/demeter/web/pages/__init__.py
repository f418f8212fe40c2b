"""Pages, one file a feature."""
