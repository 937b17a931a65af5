"""docs/settings.md: every variable of the environment, and every key of the two dictionaries."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, fields
from itertools import groupby
from typing import Any

from ip_tracking import conf
from metrics.conf import MetricsSettings
from pages import environment, keys
from pages.environment import Listed, Read
from pages.table import Row, table

PAGE = """# Settings

Sentinel's own project is set by variables of the environment. In a project of yours, the two dictionaries `IP_TRACKING`
and `METRICS` of its settings are all there is ([how](setup-guide.md#around-a-project-of-your-own)).

## Variables

They are read in `sentinel/settings.py` only, from the environment or from a file `.env` beside `manage.py`
([.env.example](../.env.example) is one to copy). A value that cannot be used is refused at the start, by name.
`make run` takes none of them: what was meant for another installation must not reach it.

{variables}

## `IP_TRACKING`

An unknown key, or a value that cannot be used, is a system check error that says what to write. Sentinel's own
project takes a key from the variable of the same name, where there is one, or from the one that is named.

{ip_tracking}

The cache that goes with it, for a Redis that may be away: a read is then a miss, a write is lost, at once and without
an exception. `OPTIONS` are Django's; without any, connecting and answering may take 20 ms each.

```python
CACHES = {{"default": {{"BACKEND": "metrics.cache.RedisCache", "LOCATION": "redis://127.0.0.1:6379/1"}}}}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"  # the database answers meanwhile
```

## `METRICS`

{metrics}
"""

KEYS_HEAD = ("key", "type", "default", "effect", "example")
VARIABLES_HEAD = ("variable", "type", "default", "effect", "example")

ALLOWED = {"MODE": conf.MODES, "ENFORCE": conf.ENFORCE, "RECORD": conf.RECORD}
TYPES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "`True` or `False`",
    "tuple[str, ...]": "list of text",
    "tuple[Network, ...]": "list of networks",
    "KnownCaller": "dotted path",
    "Mapping[str, str]": "text → text",
    "Mapping[str, int]": "text → number",
    "Mapping[str, Any]": "name → row",
}
PAGE_OF_DOCS = re.compile(r"\bdocs/([\w-]+\.md)\b")


def page() -> str:
    ours = [field for field in fields(conf.Settings) if field.name not in conf.DERIVED]
    return PAGE.format(
        variables=variables(),
        ip_tracking=_keys(keys.IP_TRACKING, ours, environment.behind("IP_TRACKING")),
        metrics=_keys(keys.METRICS, fields(MetricsSettings), environment.behind("METRICS")),
    )


def variables() -> str:
    read = {**environment.of_compose(), **environment.read()}
    parts = []
    for section, members in groupby(environment.listed(), key=lambda each: each.section):
        rows = [_variable(each, read.get(each.name, Read("text", ""))) for each in members]
        parts.append(f"### {section[0].upper()}{section[1:]}\n\n{table(VARIABLES_HEAD, rows)}")
    return "\n\n".join(parts)


def example(variable: Listed, read: Read | None) -> str:
    """Returns the example of .env.example; of a variable with few values, one that is not the default."""
    if variable.example or read is None:
        return variable.example
    if isinstance(read.default, bool):
        return environment.written(not read.default)
    return next((word for word in re.findall(r"`([^`]+)`", read.type) if word != read.default), "")


def _variable(variable: Listed, read: Read) -> Row:
    default = "must be given" if read.needed else _code(environment.written(read.default)) or "none"
    shown = _code(f"{variable.name}={given}") if (given := example(variable, read)) else ""
    return _code(variable.name), read.type, default, PAGE_OF_DOCS.sub(r"[\1](\1)", variable.effect), shown


def _keys(told: keys.Told, settings: Collection[Field[Any]], variables: Mapping[str, str]) -> str:
    by_key = {field.name.upper(): field for field in settings}
    if apart := by_key.keys() ^ told.keys():
        raise SystemExit(f"{', '.join(sorted(apart))}: a setting, or told in docs/pages/keys.py, but not both.")
    rows = []
    for key, field in by_key.items():
        effect, given = told[key]
        rows.append(
            (_code(key), _type(key, field), _default(field), effect + _by(key, variables), _code(_python(given)))
        )
    return table(KEYS_HEAD, rows)


def _by(key: str, variables: Mapping[str, str]) -> str:
    variable = variables.get(key, key)
    return f" (here by `{variable}`)" if variable != key else ""


def _type(key: str, field: Field[Any]) -> str:
    if key in ALLOWED:
        return " or ".join(map(_code, ALLOWED[key]))
    return TYPES.get(str(field.type), str(field.type))


def _default(field: Field[Any]) -> str:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if callable(value) or value == "":
        return "none"
    return _code(value if isinstance(value, str) else _python(list(value) if isinstance(value, tuple) else value))


def _python(value: object) -> str:
    return repr(value).replace("'", '"')


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
