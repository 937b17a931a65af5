"""People switch the whole gate off, into shadow, or on again. The rows are the record."""

from __future__ import annotations

from datetime import datetime, timedelta

from ip_tracking import conf
from ip_tracking.gate import switch
from ip_tracking.models import GateSwitch
from ip_tracking.review import events
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import NotPossible, read_reason

# A guard that is away for longer is switched in the settings, where `check --deploy` sees it.
MOST_HOURS = 24


def turn(mode: GateSwitch.Mode, hours: int | None, *, actor: Actor, reason: str, now: datetime) -> GateSwitch:
    """Turns the switch for so many hours, which only ON needs not; raises NotPossible for too long or no reason."""
    reason = read_reason(reason)
    if mode == GateSwitch.Mode.ON:
        return _turned(mode, None, actor, reason, now)
    if hours is None or not 1 <= hours <= MOST_HOURS:
        raise NotPossible(
            f"The gate is switched for {MOST_HOURS}h at most; for longer set IP_TRACKING['MODE'] to {mode.value!r}."
        )
    return _turned(mode, now + timedelta(hours=hours), actor, reason, now)


def _turned(mode: GateSwitch.Mode, until: datetime | None, actor: Actor, reason: str, now: datetime) -> GateSwitch:
    turned = GateSwitch.objects.create(mode=mode, until=until, reason=reason, actor=actor.name, at=now)
    events.switched(turned, turned.mode if turned.holds(now) else conf.get().mode)
    return turned


def guard_down(now: datetime) -> str:
    """Says that the gate does not enforce, "" where it does. From the rows: this process may not have looked yet."""
    held = GateSwitch.objects.held(now)
    return "" if held is None and conf.get().mode == switch.ENFORCE else switch.sentence(held)
