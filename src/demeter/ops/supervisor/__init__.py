"""Keeps a few processes running together, and stops them together."""

from demeter.ops.supervisor.crew import Crew
from demeter.ops.supervisor.database_keeper import DatabaseKeeper
from demeter.ops.supervisor.member import Member, Relay, Role, pass_on

__all__ = ["Crew", "DatabaseKeeper", "Member", "Relay", "Role", "pass_on"]
