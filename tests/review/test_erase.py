"""What is kept of one person goes, wherever it lies; what was found, decided and done stays told."""

from __future__ import annotations

import fcntl
import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ip_tracking import cases, conf, sweep
from ip_tracking.gate import decisions, limiter, store
from ip_tracking.gate.limiter import Ask
from ip_tracking.gate.plan import Plan, plan_of
from ip_tracking.gate.policies import table
from ip_tracking.models import CaseFinding, Decision, RequestLog, ReviewAction, SuspiciousIP
from ip_tracking.models.cases import ERASED
from ip_tracking.outcomes import account_key
from ip_tracking.record import spool as spool_file
from ip_tracking.record.message import pack, unpack
from ip_tracking.record.spool import Spool
from ip_tracking.review import erase
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.erase import Erasure, erase_network, erase_user
from ip_tracking.review.order import Action, NotPossible, Order
from ip_tracking.review.undo import undo
from ip_tracking.steps import drive
from metrics import breaker
from tests.clusters import running_cluster
from tests.review.conftest import Staff
from tests.traffic import ATTACKER, NOON, event, failed_login, finding, stored

pytestmark = pytest.mark.django_db(transaction=True)

DANA = Actor(id="7", name="dana", network="192.0.2.10")
OTHER = "198.51.100.4"
WHY = "a request of the person, ticket 1204"
DAY = timedelta(days=1)
QUEUE = "/admin/ip_tracking/suspiciousip/"


def ask(reason: str = WHY, **how: Any) -> Erasure:
    return Erasure(DANA, reason, NOON, **how)


def went(steps: Iterator[erase.Erased]) -> dict[str, int]:
    return {place.partition(" (")[0]: number for place, number, _ in steps if number}


def everything() -> str:
    """All text of all our tables, of the spool and of the store's keys."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            if name.startswith("ip_tracking"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608 - Django's own names
                found += [repr(row) for row in cursor.fetchall()]
    return " ".join(found) + in_spool() + repr(store.get().client.keys("*"))


def in_spool() -> str:
    directory = Path(conf.get().spool_dir or "/nowhere")
    return " ".join(file.read_text() for file in directory.glob("*")) if directory.exists() else ""


@pytest.fixture
def spool(tmp_path: Path, tracking: Any) -> Path:
    directory = tmp_path / "spool"
    tracking(SPOOL_DIR=str(directory))
    return directory


@pytest.fixture
def all_of_it(spool: Path) -> SuspiciousIP:
    """A network with something everywhere, and another one beside it."""
    for network in (ATTACKER, OTHER):
        stored(*[event(NOON - age * DAY, network, user_agent=f"agent of {network}") for age in range(4)])
        cases.file([finding(network=network), finding("probing", network=network)], now=NOON)
        Spool(str(spool)).keep(str(uuid4()), pack([event(network=network)]))
        visit(network, "")
    Spool(str(spool)).keep(str(uuid4()), pack([event(network=ATTACKER), event(network=OTHER)]))
    case = SuspiciousIP.objects.get(network=ATTACKER)
    for order in (Order(Action.BLOCK, f"{ATTACKER} tests cards", hours=1), Order(Action.UNBLOCK, "it stopped")):
        apply(order, {case.pk: None}, actor=DANA, now=NOON)
    apply(Order(Action.JUDGE, "as reported", verdict="malicious"), {case.pk: None}, actor=DANA, now=NOON)
    elsewhere = SuspiciousIP.objects.get(network=OTHER)
    apply(Order(Action.COMMENT, "seen from there"), {elsewhere.pk: None}, actor=Actor("8", "lee", ATTACKER), now=NOON)
    return case


def visit(network: str, user: str, account: str = "") -> None:
    """Asks every policy there is."""
    plan: Plan = plan_of(list(table()))
    drive(limiter.admit(network, user, plan, ask=Ask(account=account)))


# A network


def test_nothing_of_the_network_is_left_anywhere_and_the_other_keeps_all(all_of_it: SuspiciousIP) -> None:
    before = everything()
    assert ATTACKER in before

    done = went(erase_network(ATTACKER, ask()))

    assert ATTACKER not in everything()
    assert set(done) == {
        "requests waiting in the spool", "requests in the log", "counters in Redis", "findings with evidence",
        "ended decisions", "texts about it", "notes of who sat there", "cases",
    }  # fmt: skip
    assert RequestLog.objects.filter(network=OTHER).count() == 4
    assert all(found.evidence for found in SuspiciousIP.objects.get(network=OTHER).findings.all())
    assert store.get().client.exists(*limiter.counters_of(f"n:{OTHER}"))


def test_the_case_keeps_what_was_found_and_judged(all_of_it: SuspiciousIP) -> None:
    findings = list(all_of_it.findings.values("rule", "count", "first_seen", "last_seen", "severity"))
    all_of_it.refresh_from_db()

    went(erase_network(ATTACKER, ask()))

    case = SuspiciousIP.objects.get(pk=all_of_it.pk)
    assert case.is_erased
    assert str(case) == f"erased (case {case.pk})"
    assert (case.verdict, case.score, case.first_seen) == ("malicious", all_of_it.score, all_of_it.first_seen)
    assert list(case.findings.values("rule", "count", "first_seen", "last_seen", "severity")) == findings
    assert Decision.objects.filter(network=case.network).count() == 1


def test_the_erasure_is_on_record_without_the_address(all_of_it: SuspiciousIP) -> None:
    went(erase_network(ATTACKER, ask()))

    record = ReviewAction.objects.get(action="erase")
    assert (record.case_id, record.actor_name, record.text.reason) == (all_of_it.pk, "dana", WHY)
    assert ReviewAction.objects.filter(case_id=all_of_it.pk).count() == 4
    with pytest.raises(NotPossible, match="an erase, which stays"):
        undo(record.batch, actor=DANA, now=NOON)


def test_a_second_run_finds_nothing(all_of_it: SuspiciousIP) -> None:
    went(erase_network(ATTACKER, ask()))
    after = everything()

    assert went(erase_network(ATTACKER, ask())) == {}
    assert ReviewAction.objects.filter(action="erase").count() == 2
    assert ATTACKER not in after


def test_a_dry_run_tells_the_same_and_changes_nothing(all_of_it: SuspiciousIP) -> None:
    before = everything()

    would = went(erase_network(ATTACKER, ask(dry_run=True)))

    assert everything() == before
    assert would == went(erase_network(ATTACKER, ask()))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_run_that_was_stopped_is_finished_by_the_next(all_of_it: SuspiciousIP, steps: int) -> None:
    begun = erase_network(ATTACKER, ask())
    list(itertools.islice(begun, steps))
    begun.close()

    went(erase_network(ATTACKER, ask()))

    assert ATTACKER not in everything()
    assert SuspiciousIP.objects.get(pk=all_of_it.pk).is_erased


@pytest.mark.parametrize("statement", range(1, 13, 2))
def test_a_run_that_fails_at_any_statement_is_finished_by_the_next(all_of_it: SuspiciousIP, statement: int) -> None:
    """As a kill does: what is not committed is undone, what is stays done."""
    number = itertools.count()

    def fail(execute: Callable[..., Any], *args: Any) -> Any:
        if next(number) == statement:
            raise KeyboardInterrupt
        return execute(*args)

    with connection.execute_wrapper(fail), pytest.raises(KeyboardInterrupt):
        went(erase_network(ATTACKER, ask()))
    assert not SuspiciousIP.objects.get(pk=all_of_it.pk).is_erased

    went(erase_network(ATTACKER, ask()))

    assert ATTACKER not in everything()
    assert SuspiciousIP.objects.get(pk=all_of_it.pk).is_erased


def test_rows_go_some_at_a_time(monkeypatch: pytest.MonkeyPatch, spool: Path) -> None:
    """None twice, none forgotten, also where many have the very same time."""
    monkeypatch.setattr(erase, "ROWS_AT_ONCE", 3)
    stored(*[event(NOON - age * DAY) for age in (0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3)], event(network=OTHER))

    assert went(erase_network(ATTACKER, ask()))["requests in the log"] == 11
    assert RequestLog.objects.get().network == OTHER


def test_an_ipv6_address_stands_for_its_network(spool: Path) -> None:
    stored(event(network="2001:db8:1:2::/64"))

    run("--network", "2001:db8:1:2::77", reason=WHY)

    assert not RequestLog.objects.exists()


def test_what_arrives_afterwards_is_found_by_the_next_run(all_of_it: SuspiciousIP) -> None:
    """A web host had them in its buffer. A new case is opened, as the old one has no address any more."""
    went(erase_network(ATTACKER, ask()))
    stored(event())
    cases.file([finding()], now=NOON)

    done = went(erase_network(ATTACKER, ask()))

    assert (done["requests in the log"], done["cases"]) == (1, 1)
    assert ATTACKER not in everything()
    assert SuspiciousIP.objects.count() == 3


@pytest.mark.parametrize("kind", ["block", "throttle", "allow"])
def test_while_a_decision_stands_nothing_is_done(all_of_it: SuspiciousIP, kind: str) -> None:
    decisions.decide(kind, ATTACKER, until=None, reason="x", actor="dana", by_person=True, now=NOON)
    before = everything()

    with pytest.raises(NotPossible, match=rf"\({kind}\) stands on {ATTACKER}.*unblock_ip {ATTACKER}"):
        went(erase_network(ATTACKER, ask()))

    assert everything() == before


def test_a_decision_that_came_meanwhile_is_neither_renamed_nor_lost(all_of_it: SuspiciousIP, tracking: Any) -> None:
    steps = erase_network(ATTACKER, ask())
    next(steps)
    decisions.decide("block", ATTACKER, until=None, reason="x", actor="detector", by_person=False, now=NOON)

    with pytest.raises(NotPossible, match="End it first"):
        went(steps)

    assert Decision.objects.standing(NOON).get().network == ATTACKER
    assert store.get().client.get(limiter.decision_key(ATTACKER)) == b"block"


def test_a_decision_whose_end_the_store_never_heard_of_leaves_it_too(spool: Path) -> None:
    decisions.decide("block", ATTACKER, until=None, reason="x", actor="dana", by_person=True, now=NOON)
    Decision.objects.update(ended_at=NOON)

    went(erase_network(ATTACKER, ask()))

    assert store.get().client.get(limiter.decision_key(ATTACKER)) is None


def test_without_the_store_nothing_is_done(all_of_it: SuspiciousIP, tracking: Any) -> None:
    before = RequestLog.objects.count()
    tracking(STORE_URL="redis://127.0.0.1:1/0", STORE_TIMEOUT_S=0.1)

    with pytest.raises(NotPossible, match="cannot be reached"):
        went(erase_network(ATTACKER, ask()))

    assert RequestLog.objects.count() == before


@pytest.mark.parametrize(
    "reason", [f"{ATTACKER} asked us", f"asked by [{ATTACKER}]:443", f"::ffff:{ATTACKER} wrote", f"he has {ATTACKER}."]
)
def test_a_reason_that_names_the_address_is_refused(all_of_it: SuspiciousIP, reason: str) -> None:
    with pytest.raises(NotPossible, match="it would be kept"):
        went(erase_network(ATTACKER, ask(reason)))


@pytest.mark.parametrize(
    "reason", ["<script>alert(1)</script>", "\x1b[2J\x1b[31mred", "'; DROP TABLE x; --", "{{7*7}}%s"]
)
def test_hostile_text_in_a_reason_is_text(all_of_it: SuspiciousIP, staff: Staff, reason: str) -> None:
    out = run("--network", ATTACKER, reason=reason)

    page = staff("view", superuser=True).get(f"{QUEUE}{all_of_it.pk}/change/").content.decode()

    assert reason not in out
    assert "\x1b" not in out
    assert "<script>alert" not in page
    assert ReviewAction.objects.get(action="erase").text.reason == reason


# The desk, the gate and the sweep with a case that has no address


@pytest.fixture
def erased(all_of_it: SuspiciousIP) -> SuspiciousIP:
    went(erase_network(ATTACKER, ask()))
    all_of_it.refresh_from_db()
    return all_of_it


def test_the_queue_and_the_case_page_show_it(erased: SuspiciousIP, staff: Staff) -> None:
    client = staff("view", superuser=True)

    queue = client.get(QUEUE, {"tab": "all"})
    page = client.get(f"{QUEUE}{erased.pk}/change/")
    history = client.get("/admin/ip_tracking/reviewaction/")

    assert {case.pk for case in queue.context["cl"].result_list} >= {erased.pk}
    assert erase.NOTE in page.content.decode()
    assert [response.status_code for response in (queue, page, history)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("asked", "found"), [(ATTACKER, False), ("203.0.113.0/24", False), (ERASED, True), ("::/0", True)]
)
def test_no_search_for_the_address_finds_it(erased: SuspiciousIP, staff: Staff, asked: str, found: bool) -> None:
    response = staff("view", superuser=True).get(QUEUE, {"tab": "all", "q": asked})

    assert (erased in response.context["cl"].result_list) is found


def test_whatever_is_done_to_it_harms_nobody(erased: SuspiciousIP) -> None:
    """A block of what is no network would stop every process from learning of decisions."""
    for action in Action:
        order = Order(action, "by mistake", hours=1, verdict="" if action is Action.BLOCK else "benign")
        assert apply(order, {erased.pk: None}, actor=DANA, now=NOON).done == [erased]
        decisions.forget()
        decisions.refresh(NOON)

        assert Client(REMOTE_ADDR=ATTACKER).get("/nowhere").status_code == 404
    assert sweep.run(NOON + DAY) >= 0


# The spool


def test_a_batch_keeps_its_id_its_age_and_the_other_events(spool: Path) -> None:
    Spool(str(spool)).keep("batch-1", pack([event(), event(network=OTHER, path="/kept")]))
    os.utime(spool / "batch-1.json", (1_000_000, 1_000_000))

    went(erase_network(ATTACKER, ask()))

    [file] = spool.iterdir()
    assert (file.name, file.stat().st_mtime) == ("batch-1.json", 1_000_000)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.path for one in unpack(json.loads(file.read_text()))] == ["/kept"]


def test_a_file_that_is_being_sent_is_left_and_told(spool: Path) -> None:
    Spool(str(spool)).keep("batch-1", pack([event()]))

    with (spool / "batch-1.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        steps = list(erase_network(ATTACKER, ask()))

    assert [(one.number, one.left) for one in steps if one.left] == [(1, "they were just being sent: run it again")]
    assert went(erase_network(ATTACKER, ask())) == {"requests waiting in the spool": 1}


def test_what_was_put_aside_is_rewritten_and_what_cannot_be_read_is_named(spool: Path) -> None:
    Spool(str(spool)).keep("aside", pack([event(), event(network=OTHER)]))
    (spool / "aside.json").rename(spool / "aside.broken")
    (spool / "torn.broken").write_text("{")
    (spool / "tmp1234").write_text('{"version"')

    left = [one.place for one in erase_network(ATTACKER, ask()) if one.left]

    assert left == [str(spool / "tmp1234"), str(spool / "torn.broken")]
    assert ATTACKER not in (spool / "aside.broken").read_text()


def test_a_sender_who_had_opened_the_file_before_does_not_send_what_is_gone(spool: Path) -> None:
    """It holds the old file; by its name there is another one."""
    Spool(str(spool)).keep("batch-1", pack([event(), event(network=OTHER)]))
    path = spool / "batch-1.json"
    lock = fcntl.flock

    def rewritten_before(file: Any, how: int) -> None:
        spool_file.fcntl.flock = lock
        Spool(str(spool)).rewrite(lambda one: None if one.network == ATTACKER else one)
        lock(file, how)

    sent: list[Any] = []
    try:
        spool_file.fcntl.flock = rewritten_before
        Spool(str(spool)).send(lambda *batch: sent.append(batch))
    finally:
        spool_file.fcntl.flock = lock

    assert sent == []
    assert ATTACKER not in path.read_text()


@pytest.mark.skipif("os.getuid() == 0", reason="root may read everything")
def test_a_spool_of_somebody_else_is_no_empty_one(spool: Path) -> None:
    Spool(str(spool)).keep("batch-1", pack([event()]))
    spool.chmod(0o000)
    try:
        with pytest.raises(NotPossible, match="as the user that the web processes run as"):
            went(erase_network(ATTACKER, ask()))
    finally:
        spool.chmod(0o700)


# A user


@pytest.fixture
def person() -> Any:
    return get_user_model().objects.create_user("dana.k", email="Dana@example.com")


@pytest.fixture
def their_traces(person: Any, spool: Path) -> None:
    user, name, mail = str(person.pk), account_key("dana.k"), account_key("dana@example.com")
    rows = [
        event(user=user, path="/mine"),
        failed_login(account=name),
        failed_login(account=mail, network=OTHER),
        failed_login(account=account_key("other"), user="4711"),
    ]
    stored(*rows)
    Spool(str(spool)).keep("batch-1", pack(rows))
    evidence = (failed_login(account=name), failed_login(account=account_key("other")))
    cases.file([finding(network=OTHER, evidence=evidence)], now=NOON)
    visit(OTHER, user, name)
    done = Order(Action.COMMENT, "as the house saw it")
    case = SuspiciousIP.objects.get()
    apply(done, {case.pk: None}, actor=Actor(user, "dana.k", "192.0.2.77"), now=NOON)


@pytest.mark.usefixtures("their_traces")
def test_a_users_requests_stay_as_a_strangers(person: Any) -> None:
    user, keys = str(person.pk), (account_key("dana.k"), account_key("dana@example.com"))
    before = everything()
    assert all(key in before for key in keys)
    assert f"u:{user}}}" in before

    done = went(erase_user(user, (), ask("ticket one, art. XVII")))

    after = everything()
    assert not [key for key in keys if key in after]
    assert f"u:{user}}}" not in after
    assert "192.0.2.77" not in after
    assert set(RequestLog.objects.values_list("user", "account")) == {("", ""), ("4711", account_key("other"))}
    assert RequestLog.objects.count() == 4
    assert [one["account"] for one in CaseFinding.objects.get().evidence] == ["", account_key("other")]
    assert done["requests waiting in the spool"] == 3
    assert [one.account for one in unpack(json.loads(in_spool()))] == ["", "", "", account_key("other")]


@pytest.mark.usefixtures("their_traces")
def test_what_somebody_did_as_staff_stays_told(person: Any) -> None:
    went(erase_user(str(person.pk), (), ask("ticket one, art. XVII")))

    comment, record = ReviewAction.objects.order_by("id")
    assert (comment.actor_name, comment.text.reason) == ("dana.k", "as the house saw it")
    assert (record.action, record.case_id, record.text.reason) == ("erase", None, "ticket one, art. XVII")
    assert went(erase_user(str(person.pk), (), ask("ticket one, art. XVII"))) == {}


@pytest.mark.usefixtures("their_traces")
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_users_erasure_that_was_stopped_is_finished_by_the_next(person: Any, steps: int) -> None:
    begun = erase_user(str(person.pk), (), ask("ticket one"))
    list(itertools.islice(begun, steps))
    begun.close()

    went(erase_user(str(person.pk), (), ask("ticket one")))

    assert account_key("dana.k") not in everything()
    assert not RequestLog.objects.filter(user=str(person.pk)).exists()


@pytest.mark.usefixtures("their_traces")
def test_a_user_who_is_gone_is_found_by_id_and_by_the_names_one_gives(person: Any) -> None:
    user = str(person.pk)
    person.delete()

    run("--user", user, "--login", "Dana.K", "--login", "dana@example.com", reason="ticket one")

    assert account_key("dana.k") not in everything()
    assert account_key("dana@example.com") not in everything()


def test_nobody_is_no_user(spool: Path) -> None:
    """The empty id is everybody who is not signed in."""
    stored(event())

    with pytest.raises(CommandError, match="by an id"):
        run("--user", " ", reason=WHY)


@pytest.mark.parametrize("reason", ["Dana.K wants it", "mail of dana@example.com.", "user {pk} wants it"])
def test_a_reason_that_names_the_user_is_refused(person: Any, spool: Path, reason: str) -> None:
    with pytest.raises(NotPossible, match="it would be kept"):
        went(erase_user(str(person.pk), (), ask(reason.format(pk=person.pk))))


# At the command line


def run(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("erase", *args, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_the_command_says_what_went_and_what_it_cannot_reach(all_of_it: SuspiciousIP) -> None:
    would, did, again = (run("--network", ATTACKER, *dry, reason=WHY) for dry in (["--dry-run"], [], []))

    assert would.splitlines()[0] == "This would go:"
    assert "         4  requests in the log" in did
    assert would.splitlines()[1:] == did.splitlines()[1:]
    assert "         0  requests in the log" in again
    for word in ("on their way", "other hosts", "backups", "vacuumed", "Datadog", "run it again"):
        assert word in did


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--network", "nonsense"], "is no address"),
        (["--network", "203.0.113.0/24"], "is no address"),
        (["--network", "unknown"], "is no address"),
        (["--network", "203.0.113.9", "--user", "7"], "not allowed with"),
        ([], "one of the arguments --network --user is required"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_would(args: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*args, reason=WHY)


def test_a_reason_is_needed() -> None:
    with pytest.raises(CommandError, match="Give a reason"):
        run("--network", ATTACKER, reason="so")


def test_a_refusal_says_nothing_went(all_of_it: SuspiciousIP) -> None:
    decisions.decide("block", ATTACKER, until=None, reason="x", actor="dana", by_person=True, now=datetime.now(UTC))
    out = io.StringIO()

    with pytest.raises(CommandError, match="unblock_ip"):
        call_command("erase", "--network", ATTACKER, reason=WHY, stdout=out)

    assert out.getvalue() == ""


# On a cluster


def test_on_a_cluster_the_counters_go_from_each_node(tmp_path: Path, tracking: Any, person: Any) -> None:
    with running_cluster(tmp_path) as cluster:
        tracking(STORE_URL=cluster.url, SPOOL_DIR="")
        networks = [f"203.0.113.{last}" for last in range(6)]
        for network in networks:
            visit(network, str(person.pk), account_key("dana.k"))
        assert all(node.client.dbsize() for node in cluster.nodes)

        for network in networks:
            went(erase_network(network, ask()))
        went(erase_user(str(person.pk), (), ask("ticket one")))

        assert [node.client.dbsize() for node in cluster.nodes] == [0, 0, 0]
        breaker.forget()
