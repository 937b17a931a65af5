"""Whether what this process needs answers now: every probe at once, each with a time budget, so that a look is bounded.

A probe that does not come back keeps its thread, and no second one is started beside it. What was found serves all who
ask within a second: asking for health often costs the services nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from metrics import conf
from metrics.probes import PARTS, Part, Probe, every

logger = logging.getLogger(__name__)

KEEP_S = 1.0
LONGEST_S = max(part.budget_s for part in PARTS)

State = Literal["ok", "slow", "failed"]
WORST_FIRST: tuple[State, ...] = ("failed", "slow", "ok")
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one probe. `why` is the kind of an exception, never its text: that may hold an address."""

    probe: Probe
    state: State
    took_s: float
    why: str = ""

    @property
    def took_ms(self) -> int:
        return round(self.took_s * 1_000)


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]
    at: datetime

    @property
    def ready(self) -> bool:
        needed = conf.current().ready_needs
        return not any(found.state == "failed" for found in self.findings if found.probe.part.name in needed)

    def of(self, part: Part) -> Finding | None:
        """Returns the worst of a part; None where the project has no such part."""
        found = [finding for finding in self.findings if finding.probe.part is part]
        return min(found, key=lambda one: (WORST_FIRST.index(one.state), -one.took_s), default=None)


class Question:
    """One probe under way, in a thread of its own."""

    def __init__(self, probe: Probe, clock: Clock) -> None:
        self.probe = probe
        self._clock = clock
        self._began_s = clock()
        self._ended_s: float | None = None
        self._why = ""
        self._answered = threading.Event()
        try:
            threading.Thread(target=self._ask, name=f"sentinel-{probe.part.name}-probe", daemon=True).start()
        except RuntimeError as error:  # no thread to be had
            self._end(type(error).__name__)

    @property
    def is_over(self) -> bool:
        return self._answered.is_set()

    def wait(self) -> Finding:
        """Returns what came of it, within its budget."""
        budget_s = self.probe.part.budget_s
        self._answered.wait(max(0.0, self._began_s + budget_s - self._clock()))
        ended_s = self._ended_s
        if ended_s is None:
            return Finding(self.probe, "failed", self._clock() - self._began_s, "no answer yet")
        took_s = ended_s - self._began_s
        if self._why or took_s > budget_s:
            return Finding(self.probe, "failed", took_s, self._why or "too late")
        return Finding(self.probe, "slow" if took_s > self.probe.part.slow_s else "ok", took_s)

    def _ask(self) -> None:
        try:
            self.probe.ask()
        except Exception as error:  # noqa: BLE001 - whatever a library raises: the service did not answer
            self._end(type(error).__name__)
        else:
            self._end("")

    def _end(self, why: str) -> None:
        self._why = why
        self._ended_s = self._clock()
        self._answered.set()


class Readiness:
    """What this process found, and who is looking right now."""

    def __init__(self, probes: Callable[[], Sequence[Probe]] = every, clock: Clock = time.monotonic) -> None:
        self._probes = probes
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        self._turn = threading.Condition()
        self._looking = False
        self._last: Report | None = None
        self._last_s = 0.0
        self._under_way: dict[tuple[str, str], Question] = {}
        self._states: dict[tuple[str, str], State] = {}

    def look(self) -> Report:
        """Returns what holds now, or held a second ago; while another thread looks, also what it found before."""
        with self._turn:
            if (known := self._known(KEEP_S + LONGEST_S if self._looking else KEEP_S)) is not None:
                return known
            if self._looking:
                self._turn.wait_for(lambda: not self._looking, LONGEST_S + KEEP_S)
                if (known := self._known(KEEP_S + LONGEST_S)) is not None:
                    return known
            self._looking = True
        try:
            report = self.ask()
        finally:
            with self._turn:
                self._looking = False
                self._turn.notify_all()
        return report

    def ask(self) -> Report:
        """Looks now, whatever was found before."""
        questions = [self._question(probe) for probe in self._probes()]
        findings = tuple(question.wait() for question in questions)
        for finding in findings:
            self._tell(finding)
        with self._turn:
            self._last, self._last_s = Report(findings, datetime.now(UTC)), self._clock()
            return self._last

    def _known(self, most_s: float) -> Report | None:
        return self._last if self._last is not None and self._clock() - self._last_s < most_s else None

    def _question(self, probe: Probe) -> Question:
        key = (probe.part.name, probe.place)
        found = self._under_way.get(key)
        if found is None or found.is_over:
            found = self._under_way[key] = Question(probe, self._clock)
        return found

    def _tell(self, finding: Finding) -> None:
        """One line in each process when a service is lost, and one when it is back."""
        key = (finding.probe.part.name, finding.probe.place)
        before = self._states.get(key, "ok")
        self._states[key] = finding.state
        if finding.state == "failed" and before != "failed":
            logger.warning("Health: %s does not answer (%s).", finding.probe.part.name, finding.why)
        elif before == "failed" and finding.state != "failed":
            logger.warning("Health: %s answers again.", finding.probe.part.name)


readiness = Readiness()

# Threads do not come along into a child, and one of them may have held the lock.
os.register_at_fork(after_in_child=readiness.forget)
