"""Texts to scores, and to what a person sees, through ONNX Runtime."""
