"""Labelled texts to a tuned model: what brings data, training and measures together."""
