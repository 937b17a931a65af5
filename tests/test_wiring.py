"""The wiring: who reads the environment, that `.env.example` knows each variable, and what a wrong value is told."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pages import environment, keys
from pages.settings import example

from ip_tracking import conf
from metrics.checks import check_settings
from metrics.datadog_checks import check_datadog

BASE_DIR = Path(__file__).resolve().parent.parent

# The places that may look at the environment: whoever names the settings module, the supervisor that makes an
# environment for its children, and what stands in for the datadog library's own reading.
MAY_READ = {
    "sentinel/settings.py",
    "sentinel/asgi.py",
    "sentinel/wsgi.py",
    "sentinel/celery.py",
    "sentinel/run/__main__.py",
    "sentinel/run/environment.py",
    "metrics/client.py",
    "metrics/datadog/account.py",
}

# Given in `.env`, but read by libraries.
OF_LIBRARIES = {"DD_AGENT_HOST", "DD_API_KEY", "DD_APP_KEY", "DD_SITE", "DD_HOSTNAME", "DD_ENV"}

PRODUCTION = {
    "PATH": "/usr/bin:/bin",
    "ENV_FILE": "",
    "SECRET_KEY": "wWgIVq5p1ZfJrS7bX3nK8mT2yD6hL0cQ9uA4eRvNtBxGzMkPjYsE",
    "ALLOWED_HOSTS": "shop.example.com",
    "SHOP_URL": "https://www.example.com",
    "BEHIND_TLS_PROXY": "true",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "DATABASE_URL": "postgres://sentinel:secret@db.example.com/sentinel",
    "REDIS_URL": "rediss://redis.example.com:6379/0",
    "CELERY_BROKER_URL": "amqps://mq.example.com//",
}


def manage(*arguments: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in (PRODUCTION | changed).items() if value is not None}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_example_lists_each_variable_that_is_read_and_no_other() -> None:
    listed = [variable.name for variable in environment.listed()]

    assert len(listed) == len(set(listed))
    assert set(listed) == {*environment.read(), *environment.of_compose(), *OF_LIBRARIES}


def test_each_variable_of_the_example_says_what_it_does_and_gives_an_example() -> None:
    read = {**environment.of_compose(), **environment.read()}
    bare = [each.name for each in environment.listed() if not (each.effect and example(each, read.get(each.name)))]

    assert bare == []


def test_the_example_shows_what_holds_where_a_variable_is_not_set() -> None:
    holds = {**environment.of_compose(), **environment.read()}
    shown = {each.name: each.shown for each in environment.listed() if each.name in holds}

    assert shown == {name: environment.written(holds[name].default) for name in shown}


def test_a_server_starts_with_every_example_of_the_example() -> None:
    read = environment.read()
    examples = {each.name: example(each, read[each.name]) for each in environment.listed() if each.name in read}

    result = manage("check", **{**examples, "ENV_FILE": ""})

    assert result.returncode == 0, result.stderr


def test_every_example_of_a_key_can_be_used(settings: Any) -> None:
    for key, (_, value) in keys.IP_TRACKING.items():
        conf.build({key: value})
    settings.METRICS = {key: value for key, (_, value) in keys.METRICS.items()}

    assert [*check_settings(None), *check_datadog(None)] == []


def test_settings_are_the_only_reader_of_the_environment() -> None:
    looking = re.compile(r"\benviron\b(?!\s*:)|\bgetenv\b|\bimport environ\b")
    readers = {
        str(file.relative_to(BASE_DIR))
        for app in ("sentinel", "shop", "ip_tracking", "metrics")
        for file in (BASE_DIR / app).rglob("*.py")
        if any(looking.search(line.partition("#")[0]) for line in _code(file))
    }

    assert readers - MAY_READ == set()


def _code(file: Path) -> list[str]:
    """The lines of a file without its docstrings' talk."""
    text = file.read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            text = text.replace(node.value.value, "")
    return text.splitlines()


def test_a_production_server_has_nothing_to_complain_about() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING")

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("DEBUG", "perhaps"),
        ("HTTPS", "maybe"),
        ("BEHIND_TLS_PROXY", "2"),
        ("LOG_FORMAT", "xml"),
        ("LEGACY_FIELDS", "perhaps"),
        ("CORS_ALLOWED_ORIGINS", "shop.example.com"),
        ("ENFORCE", "foo"),
        ("KEEP_LOG_DAYS", "a month"),
        ("KEEP_CASE_DAYS", "-1"),
        ("IP_TRACKING_MODE", "foo"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://user:pa/ss@host/name"),
        ("DATABASE_URL", "oracle://user@host/name"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "http://127.0.0.1:6379"),
        ("IP_TRACKING_STORE_URL", "redis"),
        ("IP_TRACKING_STORE_URL", "redis+cluster://one:6379,two:port"),
        ("REDIS_URL", "redis+cluster://one:6379"),
        ("CELERY_BROKER_URL", "unix:///run/valkey.sock"),
        ("CELERY_BROKER_URL", "amqp://user:hunter2@host:port//"),
        ("EMAIL_URL", "smtp.example.com"),
        ("EMAIL_URL", "smtp://user:hunter2@host:port"),
        ("PAYMENT_PROVIDER", "shop.orders.no_provider.Bank"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,nginx"),
        ("METRICS_REDIS_URLS", "redis://127.0.0.1:6379/0,other"),
        ("READY_NEEDS", "database,rabbitmq"),
        ("IMPORT_MAX_MB", "many"),
        ("IMPORT_MAX_MB", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name_without_a_traceback(name: str, value: str | None) -> None:
    result = manage("check", **{name: value})

    said = result.stderr + result.stdout
    assert result.returncode == 1
    assert (name if name != "METRICS_REDIS_URLS" else "REDIS_URLS") in said
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert "pa/ss" not in said


@pytest.mark.parametrize(
    "url", ["redis+cluster://one:6379,two:6380", "rediss+cluster://user:p%40ss@[2001:db8::1]:6379,two:6380"]
)
def test_the_store_may_be_a_cluster(url: str) -> None:
    result = manage("check", IP_TRACKING_STORE_URL=url)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", ["migrate", "runserver", "showmigrations"])
def test_every_command_tells_a_wrong_value_in_one_line(command: str) -> None:
    result = manage(command, ENFORCE="foo")

    assert result.returncode == 1
    assert result.stderr == "ENFORCE='foo' is not one of cases, throttle, block.\n"


def test_https_is_on_unless_said_otherwise() -> None:
    result = manage(
        "shell", "-v", "0", "-c", "from django.conf import settings as s; print(s.SECURE_SSL_REDIRECT, s.DEBUG)"
    )

    assert result.stdout == "True False\n"


def test_a_clusters_nodes_are_one_address_among_the_watched_servers() -> None:
    watched = "redis://one:6379/0,redis+cluster://:p%2C@two:6379,three:6379,unix:///run/redis.sock"

    code = "from metrics import conf; print(conf.current().redis_urls)"
    shown = manage("shell", "-c", code, METRICS_REDIS_URLS=watched)

    assert shown.stdout.strip().endswith(
        "('redis://one:6379/0', 'redis+cluster://:p%2C@two:6379,three:6379', 'unix:///run/redis.sock')"
    )
