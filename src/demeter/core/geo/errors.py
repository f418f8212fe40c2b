"""What reading a file of shapes refuses, naming the file."""

from __future__ import annotations

from demeter.core.errors import InvalidInput


class ShapesRefused(InvalidInput):
    """A file of shapes cannot be read; nothing of it is taken."""

    code = "shapes_refused"
    title = "This file of shapes cannot be read"
    next_action = "Send GeoJSON, KML, KMZ, or a zip with the shapefile's .shp, .dbf, .shx and .prj."
