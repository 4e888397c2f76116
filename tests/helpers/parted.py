"""`deepmoji`, for `python -m`: processes read parts of a corpus, however small it is."""

from deepmoji.cli import main
from deepmoji.training import streams

if __name__ == "__main__":
    streams.LEAST_ROWS = 1
    main()
