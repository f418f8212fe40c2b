"""The catalog: products, states, sizes, packaging, density, and what stands where."""
