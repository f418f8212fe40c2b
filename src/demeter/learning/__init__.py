"""From corrections to better models: what people say, what learns from it, what replaces what."""
