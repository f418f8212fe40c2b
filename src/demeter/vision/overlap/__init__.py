"""How photos of one bed overlap, and which of them counts what."""
