"""Tasks that failed for good: staff sees them, without what was sent to them, and runs again what may be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app, shared_task
from celery.exceptions import Reject
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.test import Client

import shop.accounts.tasks
import shop.failures.tasks
import shop.imports.tasks
import shop.orders.tasks  # noqa: F401 - so that Celery knows the tasks
from shop.accounts.models import User
from shop.failures import remembering
from shop.failures.models import FailedTask
from shop.tries import PATIENT, RUN_AGAIN

pytestmark = pytest.mark.django_db

URL = "/admin/failures/failedtask/"
calls: list[Any] = []


@shared_task(name="tests.private")
def private(email: str, user_id: int, **more: Any) -> None:
    raise ValueError(
        f"<script>alert(1)</script> for {email} and someone@else.example at redis://me:secret@host/0\nrow 7"
    )


@shared_task(name="tests.keyed", **PATIENT, **RUN_AGAIN)
def keyed(key: str) -> None:
    calls.append(key)
    if len(calls) == 1:
        raise LookupError("no such thing") from OperationalError(f'duplicate "{key}"')


@shared_task(name="tests.hiccup", **{**PATIENT, "max_retries": 2})
def hiccup() -> None:
    calls.append("hiccup")
    raise OperationalError("server closed the connection for 'ada'")


@shared_task(name="tests.elsewhere")
def elsewhere() -> None:
    raise Reject("elsewhere")


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


@pytest.fixture
def admin(db: None) -> Client:
    return signed_in_with("view_failedtask", "run_failedtask")


def signed_in_with(*permissions: str) -> Client:
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def fail(task: Any, *args: Any, **kwargs: Any) -> FailedTask:
    task.apply(args, kwargs, throw=False)
    return FailedTask.objects.get()


def run(admin: Client, *failed: FailedTask) -> str:
    body = {"action": "run_again", "_selected_action": [row.pk for row in failed]}
    return admin.post(URL, body, follow=True).content.decode()


def test_what_was_sent_to_a_task_is_not_kept() -> None:
    failed = fail(private, "ada@example.com", 7, token="a secret", ratio=0.5)

    assert failed.arguments == "str ..., 7, token=str ..., ratio=0.5"
    assert failed.call is None
    assert failed.error == "ValueError: <script>alert(1)</script> for ... and ... at redis://..."
    assert "in private" in failed.traceback
    for secret in ("ada@", "someone@", "a secret", "me:secret", "row 7"):
        assert secret not in str(vars(failed)), secret


def test_a_cause_is_told_and_a_database_is_not_quoted() -> None:
    failed = fail(keyed, "key-1")

    assert failed.error == "LookupError: no such thing"
    assert "OperationalError\n\nwhich led to:\n\n" in failed.traceback
    assert "key-1" not in failed.traceback
    assert (failed.arguments, failed.call) == ("'key-1'", [["key-1"], {}])


def test_only_the_last_try_is_a_failure() -> None:
    failed = fail(hiccup)

    assert len(calls) == 3
    assert (failed.retries, failed.error) == (2, "OperationalError: server closed the connection for ...")


def test_what_goes_elsewhere_has_not_failed() -> None:
    elsewhere.apply(throw=False)

    assert not FailedTask.objects.exists()


def test_staff_reads_errors_as_text(admin: Client) -> None:
    failed = fail(private, "ada@example.com", 7)

    pages = [admin.get(url).content.decode() for url in (URL, f"{URL}{failed.pk}/change/")]

    for page in pages:
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert(1)" not in page
        assert "tests.private" in page
    assert "str ..., 7" in pages[1]


def test_a_task_of_keys_is_run_again_once(admin: Client, workers: None) -> None:
    failed = fail(keyed, "key-1")

    assert "Ran 1 tasks again." in run(admin, failed)
    assert calls == ["key-1", "key-1"]
    failed.refresh_from_db()
    assert (failed.run_again_by.username, failed.run_again_at is None) == ("grace", False)

    assert "was run again before" in run(admin, failed)
    assert calls == ["key-1", "key-1"]


def test_a_task_of_texts_is_not_run_again(admin: Client, workers: None) -> None:
    failed = fail(private, "ada@example.com", 7)

    assert "cannot be run again: what was sent to it is not kept" in run(admin, failed)
    failed.refresh_from_db()
    assert failed.run_again_at is None


def test_where_the_broker_is_away_it_can_be_run_later(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = fail(keyed, "key-1")
    monkeypatch.setattr(keyed.app.conf, "broker_write_url", "redis://127.0.0.1:1/0")

    assert "the broker is away" in run(admin, failed)

    failed.refresh_from_db()
    assert failed.run_again_at is None


def test_who_may_only_look_runs_nothing(workers: None) -> None:
    failed, client = fail(keyed, "key-1"), signed_in_with("view_failedtask")

    assert client.get(URL).status_code == 200
    run(client, failed)

    assert calls == ["key-1"]
    assert Client().get(URL).status_code == 302


def test_other_staff_sees_none() -> None:
    assert signed_in_with("view_product").get(URL).status_code == 403


def test_a_task_that_always_fails_does_not_fill_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST_AN_HOUR", 3)

    for _ in range(5):
        private.apply(["ada@example.com", 7], throw=False)
    hiccup.apply(throw=False)

    names = list(FailedTask.objects.values_list("name", flat=True))
    assert sorted(names) == ["tests.hiccup"] + ["tests.private"] * 3


def test_old_ones_go_after_a_month() -> None:
    failed = fail(hiccup)

    assert remembering.remove_old(failed.failed_at + timedelta(days=29)) == 0
    assert remembering.remove_old(failed.failed_at + timedelta(days=31)) == 1


def test_no_task_with_an_address_may_run_again() -> None:
    """What may be run again is kept as it was sent: only keys."""
    ours = {name: task for name, task in current_app.tasks.items() if name.startswith("shop.")}
    taken = {
        name: list(task.run.__annotations__)[:-1] for name, task in ours.items() if getattr(task, "run_again", False)
    }

    assert taken == {
        "shop.accounts.tasks.flush_expired_tokens": [],
        "shop.accounts.tasks.invite": ["user_id"],
        "shop.accounts.tasks.tell_password_changed": ["user_id"],
        "shop.failures.tasks.remove_old": [],
        "shop.imports.tasks.remove_old": [],
        "shop.imports.tasks.run_import": ["import_id"],
        "shop.orders.tasks.remove_old": [],
        "shop.orders.tasks.send_mails": [],
        "shop.orders.tasks.settle_orders": [],
    }
    assert all(OperationalError in task.autoretry_for for task in ours.values())
