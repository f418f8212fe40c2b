"""What every import has in common: rows with verdicts, columns that are guessed, a journal."""
