"""Running and keeping an installation: processes, checks of the machine."""
