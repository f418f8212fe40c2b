"""Month's end: periods, their figures, exceptions and closing."""
