"""How the shipped models came to be: recipes, and the experiments behind them."""
