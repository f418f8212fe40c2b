"""A small made-up nursery to see Demeter at work in; nothing in it is anybody's data."""
