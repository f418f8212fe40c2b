"""Prices: what a packaging of a category of plants costs, and from when to when."""
