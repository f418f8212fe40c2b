"""Retention: photos and pictures that the settings no longer keep are let go, and that is said."""
