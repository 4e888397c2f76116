"""What keeps the documentation true: generated parts and their checks."""
