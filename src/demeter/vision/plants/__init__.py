"""Where the plants are: the scale, tiles, detection and merging of boxes."""
