"""Checks each part that Demeter stands on, and says how to mend what is broken."""

from demeter.ops.doctor.findings import Finding, Verdict
from demeter.ops.doctor.rounds import examine, is_well

__all__ = ["Finding", "Verdict", "examine", "is_well"]
