"""The hourly sweep: what no single client shows, for the hours that changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from ip_tracking import sweep, tasks
from ip_tracking.detection.hourly import DISTRIBUTED_LOGIN
from ip_tracking.event import Event, to_us
from ip_tracking.models import CaseFinding, SuspiciousIP, SweepMark
from sentinel import celery_app
from tests.traffic import NOON, event, failed_login, good_login, stored

pytestmark = pytest.mark.django_db

MANY = DISTRIBUTED_LOGIN.threshold
LATER = NOON + timedelta(hours=1, minutes=5)


def network(number: int) -> str:
    return f"198.51.100.{number}"


def one_failure_each(networks: int, account: str = "ada", start: datetime = NOON) -> list[Event]:
    return [failed_login(start + timedelta(minutes=number), network(number), account) for number in range(networks)]


def flagged() -> set[str]:
    return set(CaseFinding.objects.filter(rule="distributed-login").values_list("case__network", flat=True))


# One account, many networks


def test_one_account_failing_from_many_networks_flags_them_all() -> None:
    stored(*one_failure_each(MANY))

    assert sweep.run(LATER) == MANY

    assert flagged() == {network(number) for number in range(MANY)}
    rows = CaseFinding.objects.all()
    assert {row.count for row in rows} == {MANY}
    assert rows[0].evidence[0]["path"] == "/login"


def test_below_the_threshold_nobody_is_flagged() -> None:
    stored(*one_failure_each(MANY - 1), *one_failure_each(MANY - 1, account="eve"))

    assert sweep.run(LATER) == 0
    assert not SuspiciousIP.objects.exists()


def test_many_failures_of_few_networks_are_not_this_rules_business() -> None:
    stored(*[failed_login(NOON + timedelta(minutes=number), network(number % 3)) for number in range(50)])

    sweep.run(LATER)

    assert flagged() == set()


@pytest.mark.parametrize("logged_in", [NOON - timedelta(days=6), NOON + timedelta(minutes=59)])
def test_the_owners_own_network_is_spared(logged_in: datetime) -> None:
    """The owner mistypes too, and most of all while somebody locks the account."""
    stored(*one_failure_each(MANY), good_login(logged_in, network(0)))

    sweep.run(LATER)

    assert flagged() == {network(number) for number in range(1, MANY)}


def test_a_good_login_long_ago_or_to_another_account_spares_nobody() -> None:
    stored(
        *one_failure_each(MANY),
        good_login(NOON - timedelta(days=8), network(0)),
        good_login(NOON, network(1), account="eve"),
    )

    sweep.run(LATER)

    assert flagged() == {network(number) for number in range(MANY)}


def test_refused_attempts_and_those_without_an_account_do_not_count() -> None:
    stored(
        *[one._replace(refused="login") for one in one_failure_each(MANY)],
        *one_failure_each(MANY, account=""),
    )

    sweep.run(LATER)

    assert flagged() == set()


def test_networks_of_two_hours_are_not_added_up() -> None:
    half = MANY // 2
    stored(*one_failure_each(half), *one_failure_each(MANY, start=NOON + timedelta(hours=1))[half:])

    sweep.run(LATER + timedelta(hours=1))

    assert flagged() == set()


# Which hours


def test_a_rerun_changes_nothing() -> None:
    stored(*one_failure_each(MANY))
    sweep.run(LATER)
    before = list(CaseFinding.objects.values_list()) + list(SuspiciousIP.objects.values_list())

    assert sweep.run(LATER) == 0
    SweepMark.objects.all().delete()
    assert sweep.run(LATER) == 0

    assert list(CaseFinding.objects.values_list()) + list(SuspiciousIP.objects.values_list()) == before


def hour(at: datetime) -> int:
    return to_us(at)


def test_the_first_sweep_takes_every_hour_there_is() -> None:
    stored(event(NOON - timedelta(days=3)))
    stored(event(NOON + timedelta(minutes=59)))

    assert sweep.touched_hours(LATER) == [hour(NOON - timedelta(days=3)), hour(NOON)]


def test_later_ones_take_the_hours_that_batches_touched_since() -> None:
    stored(event(NOON))
    sweep.run(LATER)
    stored(event(NOON + timedelta(hours=1)), at=LATER + timedelta(minutes=1))

    assert sweep.touched_hours(LATER) == []
    assert sweep.touched_hours(LATER + timedelta(hours=1)) == [hour(NOON + timedelta(hours=1))]


def test_a_sweep_by_hand_within_an_hour_takes_nothing_from_the_next_one() -> None:
    stored(event(NOON + timedelta(minutes=5)), at=NOON + timedelta(minutes=6))
    sweep.run(NOON + timedelta(minutes=30))

    assert sweep.touched_hours(LATER) == [hour(NOON)]


def test_a_batch_that_comes_late_brings_its_old_hour_back() -> None:
    """A spool that was sent a day later, say."""
    stored(*one_failure_each(MANY - 1))
    sweep.run(LATER)
    assert flagged() == set()

    stored(failed_login(NOON + timedelta(minutes=40), network(MANY)), at=LATER + timedelta(days=1))
    sweep.run(LATER + timedelta(days=1, hours=1))

    assert len(flagged()) == MANY


def test_a_batch_committed_just_after_a_sweep_began_is_not_missed() -> None:
    """Its `stored_at` was taken before the sweep's own time."""
    sweep.run(LATER)
    stored(event(NOON), at=LATER - timedelta(minutes=5))

    assert sweep.touched_hours(LATER) == [hour(NOON)]


def test_a_batch_over_several_hours_touches_each() -> None:
    stored(event(NOON + timedelta(minutes=59)), event(NOON + timedelta(hours=2)))

    assert sweep.touched_hours(NOON + timedelta(hours=3)) == [hour(NOON + timedelta(hours=n)) for n in range(3)]


def test_an_hour_that_is_under_way_waits_for_its_end() -> None:
    """Its first minutes compare with nothing. What came of it before the sweep is not forgotten either."""
    stored(event(NOON + timedelta(hours=1, minutes=3)), at=NOON + timedelta(hours=1, minutes=4))
    sweep.run(LATER)

    assert sweep.touched_hours(LATER) == []
    assert sweep.touched_hours(LATER + timedelta(hours=1)) == [hour(NOON + timedelta(hours=1))]


def test_the_task_sweeps_up_to_now() -> None:
    stored(*one_failure_each(MANY), at=datetime.now(UTC))

    assert tasks.sweep_hours() == f"{MANY} finding(s)"
    assert tasks.sweep_hours() == "0 finding(s)"


# Beat


def test_migrating_puts_the_periodic_tasks_into_beats_database() -> None:
    rows = {row.task: row for row in PeriodicTask.objects.all()}

    assert rows["ip_tracking.tasks.sweep_hours"].crontab.minute == "5"
    assert rows["metrics.tasks.export_redis_stats"].interval.every == 30
    assert all(row.enabled and row.description for row in rows.values())


def test_what_the_admin_changed_survives_another_migrate() -> None:
    changed = PeriodicTask.objects.get(task="ip_tracking.tasks.sweep_hours")
    changed.enabled = False
    changed.description = "Off while we move the database"
    changed.save()
    count = PeriodicTask.objects.count()

    call_command("migrate", verbosity=0)

    changed.refresh_from_db()
    assert (changed.enabled, changed.description) == (False, "Off while we move the database")
    assert PeriodicTask.objects.count() == count


def test_every_scheduled_task_is_one_that_a_worker_knows() -> None:
    celery_app.loader.import_default_modules()  # as a worker does when it starts

    scheduled = set(PeriodicTask.objects.values_list("task", flat=True))

    assert scheduled
    assert scheduled <= set(celery_app.tasks)
