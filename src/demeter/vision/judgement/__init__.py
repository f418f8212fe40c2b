"""Whether a photo shows plants at all, and whether its count says anything."""
