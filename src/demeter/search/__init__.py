"""Beds, products, lots, sessions and people, found by what somebody types."""
