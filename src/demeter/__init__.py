"""Demeter counts the plants of a nursery from photographs and keeps its stock ledger."""
