"""Keeps a few processes running together, and stops them together."""

from demeter.supervisor.crew import Crew
from demeter.supervisor.member import Member, Role

__all__ = ["Crew", "Member", "Role"]
