"""docs/rules.md: what makes a network suspicious."""

from __future__ import annotations

from ip_tracking.detection.finding import Rule
from ip_tracking.detection.table import EVERY_RULE
from pages.table import table

PAGE = """# The rules

What makes a network suspicious: so many requests with a symptom, distinct by what, within how long. A finding of
severity medium or more opens a case; where `ENFORCE` says so it also throttles or blocks, unless its rule only files.
What is of low severity is told beside graver findings.

Those from `distributed-login` on are asked by the hourly sweep, the others as requests are stored. What the sweep asks
has further limits: `networks` that take part, how much of `each` counts at most, the `share` of something among all,
the largest `good share` of what is no offence, how many `times the others` do it, different `paths`, the `hours` it
lasts and how far the pauses `spread` around their mean.

{table}

## Why these numbers

{reasons}
"""


def page() -> str:
    rows = [
        (f"`{r.name}`", r.title, r.owasp, r.severity.value, f"`{r.symptom}`", _limit(r), r.distinct, _may(r))
        for r in EVERY_RULE
    ]
    head = ("rule", "what it means", "OWASP", "severity", "symptom", "limit", "distinct by", "may decide")
    reasons = "\n".join(f"- **{r.name}**: {r.reason} *Closest harmless client:* {r.nearest_benign}" for r in EVERY_RULE)
    return PAGE.format(table=table(head, rows), reasons=reasons)


def _may(rule: Rule) -> str:
    return "yes" if rule.decides else "files only"


def _limit(rule: Rule) -> str:
    limit = f"{rule.threshold} in {rule.window_s} s"
    if rule.each:
        limit += f" by one {rule.each}"
    if rule.unless:
        limit += f", none `{rule.unless}`"
    return limit + "".join(f"; {name.replace('_', ' ')} {number:g}" for name, number in rule.also.items())
