"""`deepmoji`, for `python -m`: killed when it reports that eight steps are done."""

import os
import signal

from deepmoji.cli import main
from deepmoji.cli.progress import ProgressLine


def die(self, progress):
    if progress.step >= 8:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    ProgressLine.__call__ = die
    main()
