"""One switch for the whole gate: enforce, shadow (refuse nobody, say who would have been) or off.

The setting says which. A person may say otherwise for some hours, on the very day that Redis is away or a limit is
wrong: those turns are rows, and each process remembers the last one.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from ip_tracking import conf
from ip_tracking.gate.verdict import OPEN, Verdict
from ip_tracking.models import GateSwitch
from ip_tracking.visible import visible
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

ENFORCE, SHADOW, OFF = conf.MODES

# What this process knows, and what it last said. Until the first refresh, moments after a process' first request, that
# is the setting; while the database is away it is what the last refresh saw, until that runs out.
_turned: GateSwitch | None = None
_told = ""


def mode(now: datetime | None = None) -> str:
    """Returns the mode in force. Asked by every request: from memory, and without a clock while nobody turned it."""
    if _turned is None or not _turned.holds(now or datetime.now(UTC)):
        return conf.get().mode
    return _turned.mode


def bind(verdict: Verdict) -> Verdict:
    """Returns what the door does with a verdict: refuses only where the mode is to enforce."""
    if not verdict.refused or mode() == ENFORCE:
        return verdict
    # A refused request took no place under any limit, so that it has none to give back.
    quotas = tuple(quota._replace(slot=0) for quota in verdict.quotas)
    missing = verdict.missing and OPEN
    return Verdict("", 0, quotas, verdict.now_us, asked=verdict.asked, shadowed=(verdict.refused,), missing=missing)


def refresh(now: datetime | None = None) -> None:
    """Reads the rows, and never the store. Says once in each process that the mode changed."""
    global _turned, _told  # noqa: PLW0603 - what this process knows
    now = now or datetime.now(UTC)
    _turned = GateSwitch.objects.held(now)
    found = mode(now)
    if found != (_told or conf.get().mode):
        logger.warning("%s.", sentence(_turned))
        emit.count(catalogue.GATE_MODE_CHANGES, mode=found)
    _told = found


def sentence(turned: GateSwitch | None) -> str:
    """Says which mode that is, for people. At most a day ahead, so that the time of day is enough."""
    if turned is not None:
        who = f"{visible(turned.actor)}: {visible(turned.reason)}"
        return f"The gate is {_word(turned.mode)} until {turned.until:%H:%M} UTC ({who})"
    setting = conf.get().mode
    return f"The gate {'enforces' if setting == ENFORCE else f'is {_word(setting)}'}, as IP_TRACKING['MODE'] says"


def _word(mode: str) -> str:
    return "in shadow" if mode == SHADOW else mode


@conf.on_change
def forget() -> None:
    global _turned, _told
    _turned, _told = None, ""
