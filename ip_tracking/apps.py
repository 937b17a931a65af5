"""Registers the app's checks and listens to the outcomes that settings name."""

from __future__ import annotations

from django.apps import AppConfig


class IpTrackingConfig(AppConfig):
    name = "ip_tracking"
    verbose_name = "IP tracking"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from ip_tracking import checks, consumer_checks, identity_checks, outcomes, webhook_checks

        checks.register()
        consumer_checks.register()
        identity_checks.register()
        webhook_checks.register()
        outcomes.listen()
