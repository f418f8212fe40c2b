"""Pages for people: rendered here, with small islands of script where a photo needs them."""
