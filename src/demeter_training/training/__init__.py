"""Training the models that ship with Demeter; needs ``demeter[train]``."""
