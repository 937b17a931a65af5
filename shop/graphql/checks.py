"""A wrong key of SHOP_GRAPHQL is found at start, not by the first customer."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error

from shop.graphql import conf


def settings_can_be_used(app_configs: object, **_: object) -> list[CheckMessage]:
    try:
        conf.get()
    except conf.BadSetting as error:
        return [Error(str(error), hint="docs/graphql.md lists the keys of SHOP_GRAPHQL.", id="graphql.E001")]
    return []
