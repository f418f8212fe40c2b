"""Evidence: intake of photos, their processing, and the record that makes them stock."""
