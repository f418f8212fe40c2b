"""Models at work: which files are registered, which are active."""
