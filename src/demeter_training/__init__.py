"""Makes the models that ship: rendered scenes with exact truth, and training on them."""
