"""Every setting of a run. None comes from `.env` or the shell: those may be meant for another installation."""

from __future__ import annotations

import os
from pathlib import Path

from sentinel import prepare
from sentinel.embedded import broker_url, store_url

# Variables that libraries read by themselves, past the settings.
FOREIGN = ("CELERY_", "GUNICORN_", "DJANGO_")


def environment_of(var: Path) -> dict[str, str]:
    valkey = var / "valkey"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return inherited | {
        "PYTHONUNBUFFERED": "1",
        "WEB_CONCURRENCY": "2",
        "DJANGO_SETTINGS_MODULE": "sentinel.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(var),
        "STATIC_ROOT": str(var / "static"),
        "SPOOL_DIR": str(var / "spool"),
        "SECRET_KEY": prepare.kept_secret(var / prepare.SECRET_KEY)[0],
        "DEBUG": "false",
        "HTTPS": "false",
        "BEHIND_TLS_PROXY": "false",
        "LOG_FORMAT": "text",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "CSRF_TRUSTED_ORIGINS": "",
        "CORS_ALLOWED_ORIGINS": "",
        "LEGACY_FIELDS": "false",
        "DATABASE_URL": "",  # SQLite in VAR_DIR
        "REDIS_URL": store_url(valkey),
        "IP_TRACKING_STORE_URL": store_url(valkey),
        "METRICS_REDIS_URLS": store_url(valkey),
        "CELERY_BROKER_URL": broker_url(valkey, 1),
        "EMAIL_URL": "consolemail://",
        "DEFAULT_FROM_EMAIL": "shop@localhost",
        "PAYMENT_PROVIDER": "",
        "IMPORT_MAX_MB": "",
        "SHOP_URL": "",
        "IP_TRACKING_MODE": "enforce",
        "ENFORCE": "block",
        "READY_NEEDS": "database,redis,broker",
        "DATADOG_NOTIFY": "",
        "DATADOG_SCOPE": "*",
        "RUNBOOKS_URL": "",
        "SITE_URL": "",
        "WEBHOOK_URL": "",
        "WEBHOOK_SECRET": "",
        "WEBHOOK_NETWORKS": "",
        "KEEP_LOG_DAYS": "",
        "KEEP_EVIDENCE_DAYS": "",
        "KEEP_CASE_DAYS": "",
        # So that a client on this machine can speak as a proxy would, and be any address.
        "TRUSTED_PROXIES": "127.0.0.0/8,::1",
        "PROXY_HEADER": "X-Forwarded-For",
    }


def replace_environment(environment: dict[str, str]) -> None:
    """Makes it this process' own, and so its children's: Celery lets variables go over its arguments."""
    os.environ.clear()
    os.environ.update(environment)
