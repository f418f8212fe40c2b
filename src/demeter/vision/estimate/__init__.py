"""How many plants stand in what detection could not separate."""
