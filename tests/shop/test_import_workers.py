"""Imports by real workers: killed in the middle, past their time, and a hundred thousand rows."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.failures.models import FailedTask
from shop.imports import running
from shop.imports.models import Import, RowError
from shop.imports.uploading import Upload
from tests.e2e import processes
from tests.e2e.processes import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="workers share the database of tests.services"),
]

FIELDS = ("sku", "name", "slug", "category__slug", "price", "currency", "stock", "active", "description")
ROWS = 30_000


def environment(broker: str) -> dict[str, str]:
    """What a worker needs that works on this test's database."""
    url = os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    return {
        **os.environ, "DATABASE_URL": url, "CELERY_BROKER_URL": broker, "DJANGO_SETTINGS_MODULE": "sentinel.settings"
    }  # fmt: skip


@contextlib.contextmanager
def worker(name: str, env: dict[str, str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    args = processes.worker("-c", "1", "-n", name, "--without-gossip", "--without-mingle")
    with processes.running(args, env, directory / f"{name}.log") as process:
        yield process


def call(env: dict[str, str], task: str, *args: str, **options: str) -> None:
    more = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "celery", "-A", "sentinel", "call", task, "--args", json.dumps(args), *more]
    done = subprocess.run(command, env=env, cwd=processes.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def user(db: None) -> User:
    Category.objects.create(name="Tables", slug="tables")
    return User.objects.create_user("grace")


def waiting(user: User, rows: int) -> Import:
    """Every hundredth row is bad; names repeat, so that slugs depend on what is there."""
    upload = Upload(user, timezone.now())
    upload.write(b"sku,name,category,price,stock,description\n")
    for number in range(1, rows + 1):
        price = b"x" if number % 100 == 0 else b"%d.50" % (number % 500)
        upload.write(b'A-%d,Desk %d,tables,%s,%d,"Of\noak"\n' % (number, number % 20_000, price, number % 90))
    return upload.finish("autumn.csv", None)[0]


def products() -> list[tuple[Any, ...]]:
    return list(Product.objects.order_by("sku").values_list(*FIELDS))


@pytest.mark.slow
def test_what_a_killed_worker_left_another_takes_over(user: User, tmp_path: Path) -> None:
    """SIGKILL in the middle, over RabbitMQ: the products, the counts and the errors are those of a clean import."""
    row = waiting(user, ROWS)
    with processes.rabbitmq(tmp_path) as broker:
        env = environment(broker)
        with worker("one", env, tmp_path) as first:
            call(env, "shop.imports.tasks.run_import", str(row.pk))
            wait_until(lambda: Import.objects.get().rows_read >= 2_000, "the import's beginning", every_s=0.005)
            os.killpg(first.pid, signal.SIGKILL)
            first.wait(10)
        left = Import.objects.get()
        assert (left.state, left.rows_read < ROWS) == ("running", True)
        assert Product.objects.count() == left.created

        with worker("two", env, tmp_path):
            # Half a minute later, when nobody else may say that it is theirs.
            Import.objects.update(held_until=timezone.now() - timedelta(seconds=1))
            call(env, "shop.imports.tasks.go_on")
            wait_until(lambda: Import.objects.get().state == "done", "the import's end")

    after, errors, found = Import.objects.get(), list(RowError.objects.values_list("line", "value")), products()
    assert left.rows_read > 0
    Product.objects.all().delete()
    clean = waiting(user, ROWS)
    while running.work(clean.pk, timezone.now()):
        pass
    clean.refresh_from_db()
    assert found == products()
    assert len(found) == ROWS - ROWS // 100
    assert errors == list(RowError.objects.filter(of=clean).values_list("line", "value"))
    for name in ("rows_read", "created", "updated", "unchanged", "failed", "errors"):
        assert getattr(after, name) == getattr(clean, name), name


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_that_fails_in_a_worker_is_seen_in_the_admin(user: User, tmp_path: Path, pool: str) -> None:
    env = environment(os.environ["CELERY_BROKER_URL"])
    args = processes.worker("-P", pool, "-c", "1", "-n", "failing", "--without-gossip", "--without-mingle")
    with processes.running(args, env, tmp_path / "failing.log"):
        call(env, "shop.imports.tasks.run_import", "<b>no id</b>")
        wait_until(FailedTask.objects.exists, "the failure's row")

    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    failed = FailedTask.objects.get()
    page = client.get(f"/admin/failures/failedtask/{failed.pk}/change/").content.decode()
    assert "shop.imports.tasks.run_import" in page
    assert "&lt;b&gt;no id&lt;/b&gt;" in page
    assert "<b>no id" not in page
    assert failed.error == "ValueError: badly formed hexadecimal UUID string"
    assert "in run_import" in failed.traceback


@pytest.mark.slow
def test_a_task_that_took_too_long_is_seen_and_its_import_goes_on(user: User, tmp_path: Path) -> None:
    """The process that ran it is killed, so the worker's own process tells."""
    row = waiting(user, ROWS)
    env = environment(os.environ["CELERY_BROKER_URL"])
    with worker("slow", env, tmp_path):
        run_with_limit(env, str(row.pk))
        wait_until(FailedTask.objects.exists, "the failure's row")
        failed = FailedTask.objects.get()
        assert (failed.name, failed.error) == (
            "shop.imports.tasks.run_import",
            "TimeLimitExceeded: TimeLimitExceeded(1,)",
        )
        assert Import.objects.get().state == "running"

        Import.objects.update(held_until=timezone.now() - timedelta(seconds=1))
        call(env, "shop.imports.tasks.go_on")
        wait_until(lambda: Import.objects.get().state == "done", "the import's end")

    assert Product.objects.count() == ROWS - ROWS // 100


def run_with_limit(env: dict[str, str], pk: str) -> None:
    code = f"from sentinel.celery import app; app.send_task('shop.imports.tasks.run_import', [{pk!r}], time_limit=1)"
    subprocess.run([sys.executable, "-c", code], env=env, cwd=processes.ROOT, check=True)


MEASURED = """
import re, time
import django
django.setup()
from django.utils import timezone
from shop.accounts.models import User
from shop.imports import running
from shop.imports.models import Import
from shop.imports.uploading import Upload

def imported(rows, word):
    upload = Upload(User.objects.get(), timezone.now())
    upload.write(b"sku,name,category,price,stock,description\\n")
    text = b"oak " * 70
    for n in range(rows):
        upload.write(b"%s-%d,Desk %d,tables,%d.50,%d,%s\\n" % (word, n, n, n % 500, n % 90, text))
    row, _ = upload.finish("", None)
    while running.work(row.pk, timezone.now()):
        pass
    return row.size

def most():
    # And not what getrusage says, which remembers the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) // 1024

imported(2_000, b"A")
before, start = most(), time.perf_counter()
size = imported(100_000, b"B")
first = time.perf_counter() - start
start = time.perf_counter()
imported(100_000, b"B")
print(before, most(), size // 2**20, round(first, 1), round(time.perf_counter() - start, 1))
"""


@pytest.mark.slow
def test_a_hundred_thousand_rows_cost_no_memory_by_their_number(user: User, capsys: pytest.CaptureFixture[str]) -> None:
    """From the first byte received to the last row written; of each row, that no other has its SKU is remembered."""
    env = environment(os.environ["CELERY_BROKER_URL"])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], env=env, cwd=processes.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after, size, first, again = map(float, done.stdout.split())
    with capsys.disabled():
        print(f"\n{size:.0f} MiB: {first} s, again {again} s; {before:.0f} MiB of memory, then {after:.0f}")  # noqa: T201

    assert size > 28
    assert after - before < 24
    assert Product.objects.count() == 102_000
    same, new = Import.objects.order_by("-created_at")[:2]
    assert (new.created, new.unchanged, new.failed) == (100_000, 0, 0)
    assert (same.created, same.updated, same.unchanged) == (0, 0, 100_000)
    last = Product.objects.get(sku="B-99999")
    assert (last.name, last.slug, str(last.price), last.stock) == ("Desk 99999", "desk-99999", "499.50", 9)
