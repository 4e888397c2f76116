"""Memory that levels off: one heap for all threads."""

import ctypes
import os
import sys

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
_CHOSEN = "MALLOC_ARENA_MAX"  # what glibc itself reads: whoever sets it knows better


def share_heap() -> bool:
    """Let threads allocate from one heap; return whether they do.

    Threads that compute come and go, and glibc gives each any of eight heaps a core: what was freed
    in one is no use to the next thread in another, and little of it goes back. Measured with 64
    connections on two cores, one text a request, in MB after 5 / 15 / 30 / 45 / 60 s: 232 / 234 /
    192 / 260 / 246, up and down; with one heap 185 / 190 / 207 / 207 / 211 (on a busy machine,
    where the rates say nothing: 53 and 78 requests a second).

    Other C libraries have no such heaps, or no such choice: nothing is done there.
    """
    if not sys.platform.startswith("linux") or _CHOSEN in os.environ:
        return False
    library = ctypes.CDLL(None)
    return hasattr(library, "mallopt") and library.mallopt(_ARENA_MAX, 1) == 1
