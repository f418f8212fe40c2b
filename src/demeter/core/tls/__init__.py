"""TLS without an administrator: an authority of this machine's own, which phones can trust."""
