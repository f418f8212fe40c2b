"""Where the containers are: segmentation of the whole photo, outlines, rims."""
