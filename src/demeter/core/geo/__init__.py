"""Files of shapes: GeoJSON, KML, KMZ and shapefiles, read by GDAL."""
