"""Webhooks: other programs are told what happened here, signed and until they heard it."""
