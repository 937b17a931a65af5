"""The wiring: who reads the environment, that `.env.example` knows each variable, and what a wrong value is told."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent

# The functions of settings.py that read a variable.
READERS = {"choice", "flag", "days", "address"}

# The places that may look at the environment: whoever names the settings module, the supervisor that makes an
# environment for its children, and what stands in for the datadog library's own reading.
MAY_READ = {
    "sentinel/settings.py",
    "sentinel/asgi.py",
    "sentinel/wsgi.py",
    "sentinel/celery.py",
    "sentinel/run.py",
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
    "BEHIND_TLS_PROXY": "true",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "DATABASE_URL": "postgres://sentinel:secret@db.example.com/sentinel",
    "REDIS_URL": "rediss://redis.example.com:6379/0",
    "CELERY_BROKER_URL": "amqps://mq.example.com//",
}


def variables() -> set[str]:
    """Returns the names of the variables that settings.py reads."""
    tree = ast.parse((BASE_DIR / "sentinel" / "settings.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value)
        for call in calls
        if _reads_environment(call.func) and isinstance(call.args[0], ast.Constant)
    }


def _reads_environment(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id == "env"
    return isinstance(function, ast.Name) and function.id in READERS


def of_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (BASE_DIR / "docker-compose.yml").read_text("utf-8")))


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
    listed = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", (BASE_DIR / ".env.example").read_text("utf-8"), re.MULTILINE)

    assert len(listed) == len(set(listed))
    assert set(listed) == variables() | of_compose() | OF_LIBRARIES


def test_each_variable_of_the_example_has_a_comment() -> None:
    groups = (BASE_DIR / ".env.example").read_text("utf-8").split("\n\n")
    bare = [group for group in groups if re.search(r"^(# )?[A-Z][A-Z_]+=", group) and "# " not in group]

    assert [group for group in bare if not group.startswith("# ")] == []


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
