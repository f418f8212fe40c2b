"""How right counts are: photos with marked plants against what the pipeline says."""
