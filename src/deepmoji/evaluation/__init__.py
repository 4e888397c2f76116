"""How good is a model: measures and baselines."""
