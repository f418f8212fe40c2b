"""Places: warehouse, area, location, bin; their geometry and how to find them."""
