"""How one client stands: the decisions that cover it, its limits, its case. Looking counts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ip_tracking.client import UNKNOWN
from ip_tracking.event import US
from ip_tracking.gate import decisions, store
from ip_tracking.gate.limiter import peek
from ip_tracking.gate.plan import plan_of
from ip_tracking.gate.policies import EVERYTHING, Policy, table
from ip_tracking.gate.verdict import Quota
from ip_tracking.models import Decision, SuspiciousIP
from ip_tracking.review.networks import read_network
from ip_tracking.review.order import NotPossible
from ip_tracking.steps import drive
from ip_tracking.visible import visible

EFFECT = {
    "allow": "every request passes, and no limit is asked",
    "block": "every request is refused with 403",
    "throttle": "strangers are refused with 429; known callers pass, within their limits",
}


@dataclass(frozen=True, slots=True)
class DecisionShown:
    """A decision in force on the client's network, or on a wider one around it."""

    kind: str
    network: str
    is_exact: bool
    until: datetime | None
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class LimitShown:
    """How one rate of a policy stands for a caller that is not known by name."""

    name: str
    used: int
    limit: int
    window_s: int
    covers: str
    only_failures: bool
    enforced: bool
    wait_s: int  # until one more request would fit; 0: now


@dataclass(frozen=True, slots=True)
class CaseShown:
    id: int
    triage: str
    severity: str
    score: int
    top_rule: str


@dataclass(frozen=True, slots=True)
class Standing:
    network: str
    decisions: list[DecisionShown]  # the strongest first: it wins
    outcome: str  # what comes of them
    limits: list[LimitShown]
    why_no_limits: str  # "" where they could be asked
    case: CaseShown | None


def standing(network: str, now: datetime) -> Standing:
    """`network`: one client's, as `client.identify` gives it."""
    covering = [] if network == UNKNOWN else _covering(network, now)
    quotas = drive(peek(network, None, plan_of(list(table()))))
    return Standing(
        network=network,
        decisions=covering,
        outcome=_outcome(covering),
        limits=[_limit(quota) for quota in quotas],
        why_no_limits="" if quotas else _why_no_limits(covering),
        case=_case(network),
    )


def read_client(text: str) -> str:
    """Returns the network of one client by an address of it; raises NotPossible for anything else."""
    try:
        network = read_network(text)
    except NotPossible:
        network = ""
    if not network or not decisions.is_exact(network):
        raise NotPossible(f"{text.strip()!r} is no address; write 203.0.113.7 or 2001:db8::7")
    return network


def _covering(network: str, now: datetime) -> list[DecisionShown]:
    found = Decision.objects.standing(now).covering(network)
    strongest_first = sorted(found, key=lambda one: decisions.STRONGEST_FIRST.index(Decision.Kind(one.kind)))
    return [
        DecisionShown(
            one.kind, one.network, decisions.is_exact(one.network), one.until, visible(one.actor), visible(one.reason)
        )
        for one in strongest_first
    ]


def _outcome(covering: list[DecisionShown]) -> str:
    if not covering:
        return "None: requests pass, within the limits."
    wins = covering[0]
    others = " It wins: allow outranks block, and block outranks throttle, exact or wide." if len(covering) > 1 else ""
    return f"{wins.kind.capitalize()} on {wins.network}: {EFFECT[wins.kind]}.{others}"


def _limit(quota: Quota) -> LimitShown:
    policy, rate = quota.limit.policy, quota.limit.rate
    return LimitShown(
        name=quota.limit.name,
        used=quota.used,
        limit=rate.limit,
        window_s=rate.window_s,
        covers=_covers(policy),
        only_failures=quota.limit.returnable,
        enforced=quota.limit.enforced,
        wait_s=-(-quota.wait_us // US),
    )


def _covers(policy: Policy) -> str:
    named = ["everything"] if EVERYTHING in policy.routes else [*sorted(policy.kinds), *sorted(policy.routes)]
    return ", ".join([*named, *sorted(policy.methods)]) or "views that name it"


def _why_no_limits(covering: list[DecisionShown]) -> str:
    if store.get().away:
        return "The store is away: nobody can say how limits stand. Each policy answers as its store_away says."
    if covering:
        return "Not asked: a decision on exactly this client stands in the store."
    return "No policy counts by network or caller."


def _case(network: str) -> CaseShown | None:
    case = SuspiciousIP.objects.filter(network=network).first()
    if case is None:
        return None
    return CaseShown(
        case.pk, case.get_triage_display(), case.get_severity_display(), case.score, visible(case.top_rule)
    )
