"""What operators watch: the figures of `/metrics`."""
