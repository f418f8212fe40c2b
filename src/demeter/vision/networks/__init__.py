"""Networks as files: what they say, what runs them, which ones ship."""
