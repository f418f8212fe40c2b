"""What a person decides about a count or a session."""
