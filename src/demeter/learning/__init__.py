"""From accepted counts to better models: training sets, densities, intervals, promotion."""
