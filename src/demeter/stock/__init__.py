"""The ledger: batches, movements, counts, and the rules by which a count is posted."""
