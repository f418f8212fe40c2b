"""Keeps a few processes running together, and stops them together."""

from demeter.ops.supervisor.crew import Crew
from demeter.ops.supervisor.member import Member, Role

__all__ = ["Crew", "Member", "Role"]
