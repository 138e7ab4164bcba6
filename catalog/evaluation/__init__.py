"""How far predictions and explanations can be trusted."""
