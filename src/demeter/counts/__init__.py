"""Stocktakes: what a bed holds at a moment, by photo, by hand or by sheet."""
