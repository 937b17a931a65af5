"""Who would be refused if the policies were changed: each request of the log at two doors, the present and the changed.

The baseline is the present table replayed, not what happened then: what the log cannot know is missing on both sides,
so that a difference is the change's alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ip_tracking.event import Event
from ip_tracking.gate.policies import HEALTH
from ip_tracking.gate.verdict import BLOCK, THROTTLE
from ip_tracking.replay.changes import Change
from ip_tracking.replay.counters import Counters
from ip_tracking.replay.door import Door, House

GOOD_PAYMENT = "payment_ok"

# Of each difference the first requests of so many networks: enough to see who they are.
EXAMPLES = 5

DECISIONS = (BLOCK, THROTTLE)


@dataclass(slots=True)
class Hit:
    """Requests of one side of a difference, and whom they belong to."""

    requests: int = 0
    good_payments: int = 0
    networks: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    examples: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        if event.network not in self.networks and len(self.examples) < EXAMPLES:
            self.examples.append(event)
        self.requests += 1
        self.good_payments += event.outcome == GOOD_PAYMENT
        self.networks.add(event.network)
        if event.user:
            self.users.add(event.user)


@dataclass(slots=True)
class Refusals:
    """What a change of the policies would do, by the policy that refuses."""

    newly: defaultdict[str, Hit] = field(default_factory=lambda: defaultdict(Hit))
    no_longer: defaultdict[str, Hit] = field(default_factory=lambda: defaultdict(Hit))
    unreached: int = 0  # replayed, though a limit had refused them before their view
    decided: int = 0  # left out: a decision had refused them, and would whatever the policies say
    allowed: int = 0  # left out: on the allow-list

    def add(self, event: Event, before: str, after: str) -> None:
        self.unreached += bool(event.refused)
        if after and not before:
            self.newly[after].add(event)
        if before and not after:
            self.no_longer[before].add(event)


def earlier_us(change: Change) -> int:
    """How much earlier than its period a replay begins, so that the period's first window is whole."""
    policies = (*change.present.policies, *change.proposed.policies)
    return max((rate.window_us for policy in policies for rate in policy.rates), default=0)


def find(
    events: Iterable[Event],
    start_us: int,
    change: Change,
    house: House,
    counters: Counters,
    is_allowed: Callable[[str], bool],
) -> Refusals:
    """`events`: in the order of time. Those before `start_us` only fill the windows."""
    before, after = Door(change.present.policies, house), Door(change.proposed.policies, house)
    found = Refusals()
    for event in events:
        if event.kind == HEALTH:
            continue
        if event.refused in DECISIONS:
            found.decided += event.at_us >= start_us
        elif is_allowed(event.network):
            found.allowed += event.at_us >= start_us
        else:
            refused = counters.answer([before.refuses(event), after.refuses(event)], event.at_us)
            if event.at_us >= start_us:
                found.add(event, *refused)
    return found
