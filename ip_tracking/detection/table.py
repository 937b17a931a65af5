"""Every rule there is: those asked as requests are stored, and those of the hourly sweep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256

from ip_tracking.detection.finding import Rule
from ip_tracking.detection.hourly import HOURLY_RULES
from ip_tracking.detection.rules import RULES

EVERY_RULE: tuple[Rule, ...] = (*RULES, *HOURLY_RULES)
RULES_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in EVERY_RULE}

# To change these changes nothing that is found.
_WORDS = ("title", "owasp", "reason", "example", "nearest_benign")


def fingerprint(rules: Iterable[Rule] = EVERY_RULE) -> str:
    """Tells apart two tables of rules that would find different things."""
    told = sorted(str({key: value for key, value in asdict(rule).items() if key not in _WORDS}) for rule in rules)
    return sha256(repr(told).encode()).hexdigest()[:16]
