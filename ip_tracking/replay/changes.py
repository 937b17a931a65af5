"""What a replay is to try: one table of policies and one of rules changed, as they were written."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints

from ip_tracking import conf
from ip_tracking.conf import BadSetting
from ip_tracking.detection.finding import Rule, Severity
from ip_tracking.detection.pages import PAGE, UNLED_PAGE
from ip_tracking.detection.rules import RULES
from ip_tracking.gate import policies
from ip_tracking.gate.policies import Policy

RULE = re.compile(r"(?P<rule>[\w-]+)\.(?P<field>\w+)=(?P<value>.*)")

# What decides who is flagged. The others are words about a rule, or what follows from a finding.
_STORED = sorted({symptom for rule in RULES for symptom in (rule.symptom, rule.unless)} - {"", PAGE, UNLED_PAGE})
_TYPES = get_type_hints(Rule)
CHOSEN: dict[str, Collection[str]] = {
    "severity": tuple(severity.value for severity in Severity),
    "symptom": _STORED,
    "unless": ["", *_STORED],
    "distinct": get_args(_TYPES["distinct"]),
    "each": get_args(_TYPES["each"]),
}
COUNTS = ("threshold", "window_s")

WRITE_POLICY = """write --policy site='{"rates": ["600/m"]}', or site=null to drop one"""
WRITE_RULE = "write --rule probing.threshold=6"


@dataclass(frozen=True, slots=True)
class Tables:
    """What is counted with: the policies that the log can tell of, and the rules."""

    policies: tuple[Policy, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The tables as they are and as they would be, and what was said of them."""

    present: Tables
    proposed: Tables
    policies: tuple[str, ...]  # the names that were changed
    rules: tuple[str, ...]
    unknowable: tuple[str, ...]  # why policies of the present table are in neither


def read(policies_given: Sequence[str], rules_given: Sequence[str], redacts: Callable[[str], bool]) -> Change:
    """Reads the options of a command; raises BadSetting saying what is wrong and what to write."""
    if not policies_given and not rules_given:
        raise BadSetting(f"There is nothing to try: {WRITE_POLICY}; or {WRITE_RULE}")
    now = policies.rows(conf.get().policies)
    changed = dict(_policy(text, now) for text in policies_given)
    present, proposed = policies.table_of(now), policies.table_of(policies.rows(changed, now))
    unknowable = {policy: why for policy in (*present, *proposed) if (why := _unknowable(policy, redacts))}
    for policy, why in unknowable.items():
        if policy.name in changed:
            raise BadSetting(f"{why}: a replay cannot try a change of it")
    return Change(
        Tables(tuple(policy for policy in present if policy not in unknowable), RULES),
        Tables(tuple(policy for policy in proposed if policy not in unknowable), _rules(rules_given)),
        tuple(changed),
        tuple(dict.fromkeys(text.partition(".")[0] for text in rules_given)),
        tuple(dict.fromkeys(unknowable.values())),
    )


def _unknowable(policy: Policy, redacts: Callable[[str], bool]) -> str:
    """Says why the log does not tell what a policy counts by; "" where it does."""
    place, _, name = policy.key.partition(":")
    if policy.key == "device":
        return f"policy {policy.name!r} counts by a device's cookie, which the log does not keep"
    if place == "body":
        return f"policy {policy.name!r} counts by {policy.key}, and the log keeps no bodies"
    if place == "url" and redacts(name):
        return f"policy {policy.name!r} counts by {policy.key}, which the log redacts"
    if policy.read is not None and place != "url":
        return f"policy {policy.name!r} counts by the function {policy.key}, and the log does not keep what it reads"
    return ""


def _policy(text: str, now: dict[str, Any]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadSetting(f"--policy {text!r} has no '='; {WRITE_POLICY}")
    try:
        row = json.loads(value)
    except ValueError as error:
        raise BadSetting(f"--policy {name}: {value!r} is no JSON ({error}); {WRITE_POLICY}") from error
    if row is not None and not isinstance(row, dict):
        raise BadSetting(f"--policy {name}: {value!r} is no JSON object; {WRITE_POLICY}")
    if name not in now:
        _refuse_empty(name, row or {}, now)
        return name, {"why": "It is only tried.", **(row or {})}
    return name, row


def _refuse_empty(name: str, row: dict[str, Any], now: dict[str, Any]) -> None:
    """A slip in a name would make a new policy, which covers nothing and changes nothing."""
    if not row.get("kinds") and not row.get("routes"):
        raise BadSetting(
            f"There is no policy {name!r}{_nearest(name, now)} A new one says what it covers: "
            f"""write --policy {name}='{{"rates": ["60/m"], "kinds": ["catalogue"]}}'"""
        )


def _rules(given: Sequence[str]) -> tuple[Rule, ...]:
    rules = {rule.name: rule for rule in RULES}
    for text in given:
        match = RULE.fullmatch(text)
        if match is None:
            raise BadSetting(f"--rule {text!r} is no rule.field=value; {WRITE_RULE}")
        name, field, value = match.groups()
        if name not in rules:
            raise BadSetting(
                f"There is no burst rule {name!r}{_nearest(name, rules)} Write one of {', '.join(rules)}; "
                "those that the hourly sweep asks of the whole population are not replayed"
            )
        if rules[name].symptom in (PAGE, UNLED_PAGE):
            raise BadSetting(f"Rule {name!r} counts pages, which is no symptom that a row keeps: it cannot be replayed")
        rules[name] = replace(rules[name], **{field: _value(text, field, value)})
    return tuple(rules.values())


def _value(text: str, field: str, value: str) -> Any:  # of the field's own type
    if field in COUNTS:
        if not re.fullmatch(r"[1-9]\d{0,6}", value):
            raise BadSetting(f"--rule {text}: {value!r} is no whole number from 1 on; {WRITE_RULE}")
        return int(value)
    if field not in CHOSEN:
        raise BadSetting(f"--rule {text}: {field!r} does not decide who is flagged; {', '.join((*COUNTS, *CHOSEN))} do")
    if value not in CHOSEN[field]:
        why = " (symptoms are worked out when a row is stored: a new one is in no row)" if field == "symptom" else ""
        allowed = ", ".join(choice or "''" for choice in CHOSEN[field])
        raise BadSetting(f"--rule {text}: {field} {value!r} is unknown{why}; write one of {allowed}")
    return Severity(value) if field == "severity" else value


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "."
