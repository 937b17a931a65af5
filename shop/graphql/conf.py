"""`settings.SHOP_GRAPHQL`, read once into one typed object."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils.module_loading import import_string

Guard = Callable[[str, HttpRequest], None]


class BadSetting(ValueError):
    """A value that cannot be used; the text says what was wrong and what would be right."""


def nobody(kind: str, request: HttpRequest) -> None:
    """The GUARD of a shop that has nothing around it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. The names in SHOP_GRAPHQL are these in capitals."""

    guard: Guard = nobody  # asked before each guarded mutation: raises what the client is to be told
    several_guarded: bool = False  # may one document hold several logins, coupons, payments?
    introspection: bool = True
    max_cost: int = 2_000  # shop/graphql/weight.py says how it is counted
    max_depth: int = 10  # levels of fields
    max_aliases: int = 30
    max_fields: int = 500  # as they stand there once every fragment is put in its places
    max_tokens: int = 1_000  # of the text; a page of a shop asks with 100 to 300


KEYS = {field.name.upper(): field.name for field in fields(Settings)}


def build(raw: Mapping[str, Any]) -> Settings:
    """Raises BadSetting for the first key that is wrong."""
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in KEYS:
            near = difflib.get_close_matches(key.upper(), KEYS, n=1)
            raise BadSetting(f"SHOP_GRAPHQL has no key {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        values[KEYS[key]] = _guard(value) if key == "GUARD" else _checked(key, value)
    return Settings(**values)


def _guard(value: object) -> Guard:
    try:
        found: Any = import_string(value) if isinstance(value, str) else value
    except ImportError as error:
        raise BadSetting(f"SHOP_GRAPHQL['GUARD'] cannot be imported: {error}") from error
    if not callable(found):
        raise BadSetting(f"SHOP_GRAPHQL['GUARD'] is {value!r}; write a function of kind and request, or its path")
    guard: Guard = found
    return guard


def _checked(key: str, value: object) -> object:
    if not key.startswith("MAX_"):
        if not isinstance(value, bool):
            raise BadSetting(f"SHOP_GRAPHQL[{key!r}] is {value!r}; write True or False")
    elif type(value) is not int or value < 1:
        raise BadSetting(f"SHOP_GRAPHQL[{key!r}] is {value!r}; write a number from 1 on")
    return value


_current: Settings | None = None


def get() -> Settings:
    """Returns this process' settings; raises BadSetting, which a system check reports first."""
    global _current  # noqa: PLW0603 - the one memo of this module
    if _current is None:
        _current = build(getattr(django_settings, "SHOP_GRAPHQL", {}))
    return _current


def _forget(*, setting: str, **_: object) -> None:
    global _current  # noqa: PLW0603
    if setting == "SHOP_GRAPHQL":
        _current = None


setting_changed.connect(_forget)
