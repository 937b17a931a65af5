"""docs/policies.md: the shipped limits."""

from __future__ import annotations

from ip_tracking.gate.body import MOST_BODY_BYTES
from ip_tracking.gate.keys import MOST_VALUES
from ip_tracking.gate.policies import KEYS, SHIPPED, parse_policy
from pages.table import table

PAGE = """# The policies

A policy is one row of `IP_TRACKING["POLICIES"]`. A project's rows go over the shipped ones by name, field by field;
`None` drops one.

| field | meaning |
| --- | --- |
| `rates` | `["100/m"]`, `["10/30s", "1000/d"]`: that many in *any* such window; several hold at once |
| `kinds`, `routes`, `methods` | what it covers, by kind and by name; of these methods, or of all |
| `key` | what it counts by: see below |
| `counts` | `all` requests, or only `failures`: a good outcome gives the place back |
| `cost` | how many places one request takes |
| `mode` | `enforce`; `shadow` counts and never refuses; `off` |
| `store_away` | while Redis is away: `open`, `degraded` (this process counts alone), `closed` (503) |
| `why` | the reason for the number, for whoever meets it next |

`"routes": ["*"]` is everything. A policy that names no kind and no route covers the views that carry
`@limited("its-name")`. A class of views that says `free_of_limits = True` counts under no policy; decisions hold it
all the same.

## What a policy counts by

{keys}

A body is read at the door only where a policy counts by a value in it, and only once the other limits let the request
pass. A request with more than {most_values} different values, or a body over {most_body} KiB, counts under one value
that all such requests share, and so does a body that cannot be read: padding a request buys nothing.

What is left is told only of `network`, `caller` and `user`: what is counted by anything else may be somebody else's.

## Shipped

{table}
"""


def page() -> str:
    rows = []
    for name, row in SHIPPED.items():
        policy = parse_policy(name, row)
        covers = "everything" if "*" in policy.routes else ", ".join(sorted(policy.kinds))
        rates = ", ".join(row["rates"])
        rows.append((f"`{name}`", rates, covers, policy.key, policy.counts, policy.mode, policy.store_away, policy.why))
    head = ("policy", "rates", "covers", "counted by", "counts", "mode", "store away", "why")
    keys = table(("key", "counts by"), [(f"`{key}`" if " " not in key else key, text) for key, text in KEYS.items()])
    return PAGE.format(table=table(head, rows), keys=keys, most_values=MOST_VALUES, most_body=MOST_BODY_BYTES // 1_024)
