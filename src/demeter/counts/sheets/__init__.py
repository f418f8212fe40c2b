"""Count sheets: a table to fill in at the bed, read and posted."""
