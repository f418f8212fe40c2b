"""What every feature stands on: settings, database, jobs, blobs, errors, HTTP, tables of rows."""
