"""What people decided, as events over the charts: why fewer requests came, or none was refused any more.

No network, person or reason is told: those stay where they can be erased (docs/privacy.md). The case's number is.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from ip_tracking.models import Decision, GateSwitch
from ip_tracking.visible import visible
from metrics import catalogue, emit

UNBLOCK, UNDO = "unblock", "undo"
# What was done, as a title says it.
TITLES = {
    Decision.Kind.BLOCK.value: "Staff blocked a network",
    Decision.Kind.THROTTLE.value: "Staff throttled a network",
    Decision.Kind.ALLOW.value: "Staff put a network on the allow-list",
    UNBLOCK: "Staff ended what stood against a network",
    UNDO: "Staff took back what was decided about a network",
}


def decided(action: str, *, via: str, now: datetime, case: int | None = None, until: datetime | None = None) -> None:
    """Tells it when the transaction is in the database. What was decided at once is shown as one."""
    about = f"Case {case}" if case else "No case"
    end = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    told = partial(emit.event, catalogue.DECISION, TITLES[action], f"{about}, by way of the {via}{end}.", action=action)
    transaction.on_commit(partial(told, key=f"decision:{now.timestamp()}"))


def switched(turned: GateSwitch, mode: str) -> None:
    """Tells, once and not by each process that notices, which mode the gate is to be in."""
    end = f" until {turned.until:%Y-%m-%d %H:%M} UTC" if turned.until else ""
    text = f"{visible(turned.reason)}{end}"
    transaction.on_commit(partial(emit.event, catalogue.GATE_SWITCHED, f"The gate is set to {mode}", text, mode=mode))
