"""People: who did what."""
