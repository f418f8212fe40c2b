"""Prices of packagings by category of plants."""
