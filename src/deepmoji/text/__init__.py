"""Strings to words to ids, by the rules of the original DeepMoji."""
