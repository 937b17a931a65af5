"""Writes the tables that the docs take from the code. `--check` only says which are out of step."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")
os.environ.setdefault("DEBUG", "true")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.test import override_settings  # noqa: E402

from ip_tracking.detection.finding import Rule  # noqa: E402
from ip_tracking.detection.table import EVERY_RULE  # noqa: E402
from ip_tracking.gate.body import MOST_BODY_BYTES  # noqa: E402
from ip_tracking.gate.keys import MOST_VALUES  # noqa: E402
from ip_tracking.gate.policies import KEYS, SHIPPED, parse_policy  # noqa: E402
from metrics import catalogue  # noqa: E402
from metrics.datadog import assets, monitors  # noqa: E402
from metrics.datadog.alert import Alert, Monitor  # noqa: E402
from metrics.entry import Event, ServiceCheck, Tag  # noqa: E402

Row = tuple[str, ...]

POLICIES = """# The policies

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

RULES_PAGE = """# The rules

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

METRICS = """# The metrics

Every name is prefixed with `sentinel.`; `env`, `service` and `version` come from `DD_ENV`, `DD_SERVICE` and
`DD_VERSION`. No tag ever holds a client's address, a user or a raw path.

{table}

## Requests

Each request that reaches Django counts once, whatever becomes of it:

| what happened | `request.count` | besides |
| --- | --- | --- |
| an answer | its status class, when it is there | duration, size |
| a stream or a file | its status class, when the body ends or is closed | duration to its start, size of what went |
| the client left in the middle of a stream | the status class it began with | the same, and `request.aborted` |
| the client left before the answer (async servers) | `4xx`: 499, as the log says | `request.aborted`, no duration |
| a body that breaks off by itself | the status class it began with | the same, and `request.exceptions` |
| an exception in a view or a middleware | `5xx` | duration, size, `request.exceptions` |
| an exception that leaves Django (of `handler500`, or `SystemExit`) | `5xx` | `request.exceptions`, no duration |

- The size is of the body: 0 for HEAD, 204 and 304. What a server in front compresses is not seen.
- Of a file that the system sends for the server (`wsgi.file_wrapper`), what went out is told by how far the file was
  read. A server that does not move it is taken to have sent all.
- What is not seen: a client that leaves while an answer that is no stream is on its way, or a sync view still works;
  one that leaves before its request was read; an answer that the server itself gives.
- Under an async server each streamed body is an async iterator after this middleware, whichever it was before. Django
  reads a sync one whole, as ever, before it sends.
- An exception that Django answers with a 4xx (`Http404`, `PermissionDenied` and the like) is none of these.

A refusal counts once: in `security.requests_blocked` by a decision, in `ratelimit.throttled` by a policy (at the door,
inside the view, by REST framework's throttle or django-ratelimit's decorator, or where GraphQL answers it with a 200),
or, answered 503, as `limiter.store_missing` with `closed`. What only would be refused is `ratelimit.would_throttle`,
and nowhere else. Requests decided without the store count once, by the gravest answer of a policy; a gate in shadow
closes nothing.

An attempt to sign in is what Django's signals tell (each failed `authenticate()`, each `user_logged_in`), and what the
gate refuses; where no signal comes, the status of a route of the kind `login` tells.

## Caches

`"BACKEND": "metrics.cache.RedisCache"` in place of Django's is all it takes. For another backend write a class:

```python
from django.core.cache.backends.locmem import LocMemCache
from metrics.lookups import Counted


class CountedMemory(Counted, LocMemCache): ...
```

- A lookup is a key that `get`, `get_many`, `has_key` (`in`), `touch`, `incr`, `decr`, `incr_version`, `get_or_set` or
  an async twin of them asks for: each key once for each call, whatever the backend makes of it. `add`, `set` and
  `delete` are none.
- What is found is a hit, also a stored `None` or one equal to the default. All else is a miss, also a Redis that is
  away or refuses the command. What cannot be unpickled is an error as ever, and neither.
- `cache` is the name in `CACHES`, found by its settings; `none` for one made by hand.
- `prefix` is never taken from a key but from `METRICS["CACHE_PREFIXES"]`: `"cart"` is meant by `cart:7`, `cart_7` and
  `cart`, not by `cartoon:7`. The longest that fits is told, without its separator. Known already are `sessions`,
  `ratelimit` (django-ratelimit's `rl:`), `pages` and `fragments` (Django's own); the rest is `other`.
- The ratio is `hits / (hits + misses)` of the sums; `redis.hit_ratio` is another thing: all users of a server at once.

## States

Service checks, sent each minute by the task that Beat runs:

{checks}

## Events

{events}

## Tags

A tag's values are a closed set, or names that the project gives itself: of those a process sends so many, and the
others as `other`. `METRICS["MAX_TAG_VALUES"]` changes a number.

{tags}
"""


RUNBOOKS = """# Runbooks

A page for each monitor that tells somebody: what it means, what to look at, what to do. The monitors and their limits
are made from `metrics/datadog/monitors.py` ([how](../datadog.md)); P1 is for now, P5 for nobody.

Commands are written as they run where Sentinel does: `docker compose exec web python manage.py ...`, or on a machine
with `make run`, `make manage COMMAND="..."`. What does not answer just now, `/readyz` says to anybody and
`/admin/health/` to staff, with what to do ([health](../health.md)); how to read the numbers of tasks and queues is
told [there](../tasks-and-queues.md).

{table}
"""


def table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def policies() -> str:
    rows = []
    for name, row in SHIPPED.items():
        policy = parse_policy(name, row)
        covers = "everything" if "*" in policy.routes else ", ".join(sorted(policy.kinds))
        rates = ", ".join(row["rates"])
        rows.append((f"`{name}`", rates, covers, policy.key, policy.counts, policy.mode, policy.store_away, policy.why))
    head = ("policy", "rates", "covers", "counted by", "counts", "mode", "store away", "why")
    keys = table(("key", "counts by"), [(f"`{key}`" if " " not in key else key, text) for key, text in KEYS.items()])
    return POLICIES.format(
        table=table(head, rows), keys=keys, most_values=MOST_VALUES, most_body=MOST_BODY_BYTES // 1_024
    )


def rules() -> str:
    rows = [
        (f"`{r.name}`", r.title, r.owasp, r.severity.value, f"`{r.symptom}`", _limit(r), r.distinct, _may(r))
        for r in EVERY_RULE
    ]
    head = ("rule", "what it means", "OWASP", "severity", "symptom", "limit", "distinct by", "may decide")
    reasons = "\n".join(f"- **{r.name}**: {r.reason} *Closest harmless client:* {r.nearest_benign}" for r in EVERY_RULE)
    return RULES_PAGE.format(table=table(head, rows), reasons=reasons)


def _may(rule: Rule) -> str:
    return "yes" if rule.decides else "files only"


def _limit(rule: Rule) -> str:
    limit = f"{rule.threshold} in {rule.window_s} s"
    if rule.each:
        limit += f" by one {rule.each}"
    if rule.unless:
        limit += f", none `{rule.unless}`"
    return limit + "".join(f"; {name.replace('_', ' ')} {number:g}" for name, number in rule.also.items())


def metrics() -> str:
    rows = [(f"`{m.name}`", m.type, m.unit, _keys(m.tags), m.meaning) for m in catalogue.ALL]
    return METRICS.format(
        table=table(("metric", "type", "unit", "tags", "meaning"), rows),
        checks=table(
            ("check", "tags", "meaning"), [(f"`{c.name}`", _keys(c.tags), c.meaning) for c in catalogue.CHECKS]
        ),
        events=table(
            ("event", "tags", "meaning"), [(f"`{e.name}`", _keys(e.tags), e.meaning) for e in catalogue.EVENTS]
        ),
        tags=table(("tag", "meaning", "values"), [(f"`{t.key}`", t.meaning, _values(t)) for t in catalogue.TAGS]),
    )


def _short(entries: Sequence[ServiceCheck] | Sequence[Event]) -> list[Row]:
    return [(f"`{entry.name}`", _keys(entry.tags), entry.meaning) for entry in entries]


def _keys(tags: Sequence[Tag]) -> str:
    return ", ".join(f"`{tag.key}`" for tag in tags)


def _values(tag: Tag) -> str:
    return f"{tag.most} at most" if tag.values is None else ", ".join(f"`{value}`" for value in sorted(tag.values))


def runbooks() -> str:
    alerts = sorted(
        (each for each in monitors.every() if not _is_part(each)), key=lambda each: (each.priority, each.key)
    )
    rows = [(f"[{each.key}]({each.key}.md)", f"P{each.priority}", each.title, each.says) for each in alerts]
    return RUNBOOKS.format(table=table(("monitor", "priority", "title", "what its message says"), rows))


def _is_part(alert: Alert) -> bool:
    return isinstance(alert, Monitor) and bool(alert.part_of)


PAGES = {"policies.md": policies, "rules.md": rules, "metrics.md": metrics, "runbooks/README.md": runbooks}


def files() -> dict[Path, str]:
    """Returns each written file with its text, as it is where nobody has set anything."""
    django.setup()
    with override_settings(METRICS={}):
        return {**{ROOT / "docs" / name: make() for name, make in PAGES.items()}, **assets.files()}


def main() -> int:
    wanted = files()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    left = [path for path in assets.FILES.rglob("*.json") if path not in wanted]
    if "--check" not in sys.argv:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        for path in left:
            path.unlink()
    elif stale or left:
        names = ", ".join(str(path.relative_to(ROOT)) for path in [*stale, *left])
        sys.stderr.write(f"Out of step with the code: {names}. Run `make docs`.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
