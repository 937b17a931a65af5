"""The processes of a run: started one by one, watched, and stopped in the order in which they need each other.

They run in sessions of their own: a Ctrl-C in the terminal would else reach all at once, and Valkey would leave with
the events that the workers still want.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sentinel.run.parent import with_parent
from sentinel.run.place import BASE_DIR, CannotRun, note


class Stopped(Exception):
    """Ctrl-C, a closed terminal or SIGTERM while starting or running."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    deadline_s: float  # between being asked to end and being killed


class House:
    """The children of this run, in the order they were started."""

    def __init__(self, var: Path, lock: int) -> None:
        self.var = var
        self.children: list[Child] = []
        self._lock = lock
        self._asked = 0
        self._terminal = select.poll()

    def listen_to_signals(self) -> None:
        """The handler only takes a note: an exception could come between starting a child and remembering it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup a closed terminal is meant to be survived.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask)
        # Where make is a terminal's first process, SIGHUP goes to make alone, which waits for us: so look ourselves.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            for descriptor in filter(os.isatty, (0, 1, 2)):
                self._terminal.register(descriptor, 0)  # that it was closed is told unasked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def pause(self, seconds: float = 0.1) -> None:
        """Waits a little; raises Stopped when somebody asked, CannotRun when a child ended by itself."""
        time.sleep(seconds)
        if self._asked or self._terminal.poll(0):
            raise Stopped
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise CannotRun(
                    f"{child.name} ended by itself ({_ending(code)}), so all is stopped. Its log: {child.log}"
                )

    def start(
        self,
        name: str,
        command: list[str],
        *,
        deadline_s: float = 15.0,
        keep_open: tuple[int, ...] = (),
    ) -> Child:
        """Starts a child that ends with this process and holds the lock as long as it lives."""
        log = self.var / "log" / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(self._lock, *keep_open),
                preexec_fn=with_parent(),  # noqa: PLW1509 - this process has one thread
            )
        child = Child(name, process, log, deadline_s)
        self.children.append(child)
        note(self._lock, [os.getpid(), *(child.process.pid for child in self.children)])
        return child

    def finish(self, child: Child) -> None:
        """Waits for a child that has one thing to do."""
        self.children.remove(child)
        try:
            while child.process.poll() is None:
                self.pause()
        except (Stopped, CannotRun):  # another one ended, or somebody asked: this one is to be stopped as well
            self.children.append(child)
            raise
        if child.process.returncode:
            raise CannotRun(f"{child.name} failed ({_ending(child.process.returncode)}). Its log: {child.log}")

    def stop(self) -> None:
        """Stops the children, last started first; each has its deadline. Ctrl-C a second time waits for nobody."""
        patience = self._asked + 1
        for child in reversed(self.children):
            _signal(child, signal.SIGTERM)
            deadline = time.monotonic() + child.deadline_s
            while child.process.poll() is None and time.monotonic() < deadline and self._asked < patience:
                time.sleep(0.05)
            # The whole session, also where its first process ended well: nothing of ours may stay behind.
            _signal(child, signal.SIGKILL)
            child.process.wait()


def _signal(child: Child, number: int) -> None:
    """To a child asked to end, and to its whole session when it is killed."""
    try:
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group that has ended
        pass


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
