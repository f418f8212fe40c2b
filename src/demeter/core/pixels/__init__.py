"""Pictures that people send, read in processes of their own: what goes out is facts or bytes."""
