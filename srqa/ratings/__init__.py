"""Human answers turned into quality scores with honest uncertainty; numpy and scipy only."""
