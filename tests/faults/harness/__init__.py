"""Demeter broken on purpose, over and over: one run draws a life and faults from a seed.

``make faults SEED=1 RUNS=300``; docs/faults.md tells what a run is and what it must hold.
"""
