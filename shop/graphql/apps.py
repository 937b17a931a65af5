from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class GraphQLConfig(AppConfig):
    name = "shop.graphql"
    label = "graphql"

    def ready(self) -> None:
        from shop.graphql import checks

        register(checks.settings_can_be_used, Tags.compatibility)
