"""`deepmoji`, for `python -m`: the process of rank $DYING_RANK is killed after eight steps.

Its processes read parts of the corpus, as those of ``tests.helpers.parted`` do.
"""

import os
import signal

from deepmoji.cli import main
from deepmoji.training import streams
from deepmoji.training.clock import Clock

tick = Clock.tick


def die(self, loss):
    tick(self, loss)
    if self._state.step >= 8 and os.environ["RANK"] == os.environ["DYING_RANK"]:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Clock.tick = die
    streams.LEAST_ROWS = 1
    main()
