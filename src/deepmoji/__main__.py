"""`python -m deepmoji`: the same as the command `deepmoji`."""

from deepmoji.cli import main

if __name__ == "__main__":
    main()
