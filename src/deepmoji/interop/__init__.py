"""Foreign files: what other programs wrote, read without running any of it."""
