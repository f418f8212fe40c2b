"""What stands between HTTP and the features: problems, request ids, guards, idempotency."""
