"""docs/metrics.md: every metric, check, event and tag."""

from __future__ import annotations

from collections.abc import Sequence

from metrics import catalogue
from metrics.entry import Tag
from pages.table import table

PAGE = """# The metrics

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


def page() -> str:
    rows = [(f"`{m.name}`", m.type, m.unit, _keys(m.tags), m.meaning) for m in catalogue.ALL]
    return PAGE.format(
        table=table(("metric", "type", "unit", "tags", "meaning"), rows),
        checks=table(
            ("check", "tags", "meaning"), [(f"`{c.name}`", _keys(c.tags), c.meaning) for c in catalogue.CHECKS]
        ),
        events=table(
            ("event", "tags", "meaning"), [(f"`{e.name}`", _keys(e.tags), e.meaning) for e in catalogue.EVENTS]
        ),
        tags=table(("tag", "meaning", "values"), [(f"`{t.key}`", t.meaning, _values(t)) for t in catalogue.TAGS]),
    )


def _keys(tags: Sequence[Tag]) -> str:
    return ", ".join(f"`{tag.key}`" for tag in tags)


def _values(tag: Tag) -> str:
    return f"{tag.most} at most" if tag.values is None else ", ".join(f"`{value}`" for value in sorted(tag.values))
