"""Measurements of quality and speed; each script writes one file of `results/`."""
