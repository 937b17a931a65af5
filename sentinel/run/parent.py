"""Who ends with whom. Linux tells a process that the one which started it has ended, however that came about."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def with_parent() -> Callable[[], None] | None:
    """Returns what a child does first, so that it is asked to end when this process is killed."""
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()
    return lambda: _ask_the_kernel(libc, signal.SIGTERM, parent)


def never_outlive(parent: int) -> None:
    """For a child whom its parent's SIGTERM may not reach: it is killed as soon as nobody is left to send another."""
    if sys.platform.startswith("linux"):
        _ask_the_kernel(ctypes.CDLL(None), signal.SIGKILL, parent)


def _ask_the_kernel(libc: ctypes.CDLL, number: signal.Signals, parent: int) -> None:
    libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)
