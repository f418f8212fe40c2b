"""Registers: tables of master data, all served in one way from one description of each."""
