"""Tests of deepmoji; the folders mirror those of src/deepmoji."""
