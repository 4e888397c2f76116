"""Foreign files of weights and data to ours, and back."""
