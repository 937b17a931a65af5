"""Findings become cases: filed once, only ever growing, and enforced where that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connections

from ip_tracking import cases, sweep
from ip_tracking.detection.finding import Finding, Severity
from ip_tracking.event import to_us
from ip_tracking.gate import decisions, store
from ip_tracking.gate.limiter import decision_key
from ip_tracking.models import CaseFinding, Decision, SuspiciousIP
from ip_tracking.record.storage import store as store_batch
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from tests.traffic import ATTACKER, NOON, event, failed_login, finding

pytestmark = pytest.mark.django_db

Configure = Callable[..., object]
Commit = Callable[..., AbstractContextManager[Any]]

SOON = NOON + timedelta(minutes=1)
DANA = Actor(id="1", name="dana")


def decide(action: Action, reason: str, **how: Any) -> None:
    apply(Order(action, reason, **how), {the_case().pk: None}, actor=DANA, now=SOON)


def the_case() -> SuspiciousIP:
    return SuspiciousIP.objects.get()


def facts() -> list[tuple[Any, ...]]:
    """Everything that filing writes but the moments of writing."""
    return [
        *SuspiciousIP.objects.order_by("network").values_list(
            "network", "severity", "score", "top_rule", "first_seen", "last_seen", "triage", "version", "note"
        ),
        *CaseFinding.objects.order_by("case__network", "rule", "hour").values_list(),
    ]


def in_store(network: str = ATTACKER) -> bytes | None:
    return store.get().client.get(decision_key(network))


# Filing


def test_a_finding_opens_a_case_that_says_why() -> None:
    [filed] = cases.file([finding()], now=SOON)

    case = the_case()
    assert filed == case
    assert (case.network, case.severity, case.score, case.top_rule) == (ATTACKER, "high", 40, "login-brute-force")
    assert (case.first_seen, case.last_seen) == (NOON, NOON + timedelta(seconds=9))
    assert (case.triage, case.verdict, case.enforcement, case.source) == ("open", "", "none", "live")
    [row] = case.findings.all()
    assert (row.count, row.threshold, row.window_s, row.weight) == (10, 10, 300, 40)
    assert row.evidence[0]["path"] == "/login"
    assert row.evidence[0]["account"] == "ada"


def test_findings_of_low_severity_alone_make_no_case() -> None:
    assert cases.file([finding(severity=Severity.LOW), finding("probing", severity=Severity.LOW)], now=SOON) == []
    assert not SuspiciousIP.objects.exists()


def test_a_low_finding_is_filed_beside_a_graver_one_and_under_a_case_that_exists() -> None:
    cases.file([finding(severity=Severity.LOW), finding("probing", severity=Severity.MEDIUM)], now=SOON)
    cases.file([finding("foreign-software", severity=Severity.LOW)], now=SOON)

    assert the_case().findings.count() == 3
    assert the_case().severity == "medium"
    assert the_case().score == 5 + 20 + 5


def test_filing_again_changes_nothing() -> None:
    findings = [finding(), finding("probing", severity=Severity.MEDIUM), finding(network="2001:db8:1:2::/64")]
    cases.file(findings, now=SOON)
    before = facts()

    assert cases.file(findings, now=SOON + timedelta(days=1)) == []

    assert facts() == before


def test_the_unknown_network_gets_no_case() -> None:
    """Everybody behind a peer without an address is this one."""
    assert cases.file([finding(network="unknown")], now=SOON) == []
    assert not SuspiciousIP.objects.exists()


def test_each_network_has_one_case_with_a_finding_for_each_rule_and_hour() -> None:
    cases.file(
        [finding(), finding(first=NOON + timedelta(hours=1)), finding("probing"), finding(network="198.51.100.4")],
        now=SOON,
    )

    counts = {case.network: case.findings.count() for case in SuspiciousIP.objects.all()}
    assert counts == {ATTACKER: 3, "198.51.100.4": 1}


def seen(first: int, last: int, count: int, evidence: int) -> Finding:
    """What one worker found, of what happened in seconds `first` to `last`."""
    shown = tuple(
        failed_login(NOON + timedelta(seconds=first + number), request_id=f"at-{first + number}")
        for number in range(evidence)
    )
    return finding(first=NOON + timedelta(seconds=first), seconds=last - first, count=count, evidence=shown)


VIEWS = [seen(0, 9, 10, 5), seen(4, 30, 12, 3), seen(2, 12, 14, 9), seen(0, 9, 10, 2)]


@pytest.mark.parametrize("order", list(permutations(range(len(VIEWS)))))
def test_findings_only_grow_whatever_the_order_of_their_writers(order: tuple[int, ...]) -> None:
    """A worker that read fewer rows may write last."""
    for place in order:
        cases.file([VIEWS[place]], now=SOON)

    row = CaseFinding.objects.get()
    assert row.count == 14
    assert (row.first_seen, row.last_seen) == (NOON, NOON + timedelta(seconds=30))
    assert [shown["request_id"] for shown in row.evidence] == [f"at-{second}" for second in range(5)]


def test_the_score_is_the_sum_of_the_weights_of_seven_days() -> None:
    old = NOON - timedelta(days=7)
    cases.file(
        [
            finding("exploit-attempt", first=old - timedelta(days=1)),
            finding("probing", severity=Severity.MEDIUM, first=old + timedelta(minutes=1)),
            finding(),
        ],
        now=SOON,
    )

    assert the_case().score == 20 + 40
    assert the_case().first_seen == old - timedelta(days=1)


def test_the_gravest_rule_of_seven_days_is_shown_as_the_reason() -> None:
    cases.file(
        [
            finding("attack-tool", severity=Severity.CRITICAL, first=NOON - timedelta(days=8)),
            finding("probing", severity=Severity.MEDIUM, count=900),
            finding("sensitive-files", severity=Severity.HIGH, count=2, threshold=2),
            finding("login-brute-force", severity=Severity.HIGH, count=11),
        ],
        now=SOON,
    )

    assert (the_case().severity, the_case().top_rule) == ("high", "login-brute-force")


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_file_the_same_network_at_once_lose_nothing() -> None:
    halves = [
        [finding(f"rule-{number}", count=10 + worker) for number in range(worker, worker + 6)] for worker in range(4)
    ]
    failures = at_once(*[lambda half=half: cases.file(half, now=SOON) for half in halves])

    assert failures == []
    rows = {row.rule: row.count for row in CaseFinding.objects.all()}
    assert rows == {f"rule-{number}": 10 + min(number, 3) for number in range(9)}
    assert the_case().score == 9 * 40


@pytest.mark.django_db(transaction=True)
def test_workers_that_file_different_findings_of_a_known_case_at_once_count_each_others() -> None:
    cases.file([finding()], now=SOON)
    works = [
        lambda worker=worker: cases.file([finding(f"rule-{worker}-{number}") for number in range(20)], now=SOON)
        for worker in range(4)
    ]

    assert at_once(*works) == []

    assert the_case().findings.count() == 81
    assert the_case().score == 81 * 40
    assert the_case().version == 1


def at_once(*works: Callable[[], object]) -> list[Exception]:
    """Runs each in a thread with a database connection of its own; returns what they raised."""
    start, failures = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


# Enforcing


def test_out_of_the_box_a_detector_only_files(tracking: Configure, django_capture_on_commit_callbacks: Commit) -> None:
    tracking(ENFORCE="cases")

    with django_capture_on_commit_callbacks(execute=True):
        cases.file([finding()], now=SOON)

    assert not Decision.objects.exists()
    assert in_store() is None
    assert the_case().enforcement == "none"


@pytest.mark.parametrize(("enforce", "word"), [("throttle", "throttle"), ("block", "block")])
def test_a_detector_decides_as_the_settings_say(
    tracking: Configure, django_capture_on_commit_callbacks: Commit, enforce: str, word: str
) -> None:
    tracking(ENFORCE=enforce, ENFORCE_FOR_S=600)

    with django_capture_on_commit_callbacks(execute=True):
        cases.file([finding(), finding("probing", severity=Severity.MEDIUM)], now=datetime.now(NOON.tzinfo))

    decision, case = Decision.objects.get(), the_case()
    assert (decision.kind, decision.network, decision.actor, decision.by_person) == (word, ATTACKER, "detector", False)
    assert decision.reason == "login-brute-force, probing"
    assert (case.enforcement, case.enforced_until) == (word, decision.until)
    assert in_store() == word.encode()
    assert 590_000 < store.get().client.pttl(decision_key(ATTACKER)) <= 600_000


def test_low_findings_under_a_case_that_exists_enforce_nothing(tracking: Configure) -> None:
    cases.file([finding()], now=SOON)
    tracking(ENFORCE="block")

    cases.file([finding("probing", severity=Severity.LOW)], now=SOON)

    assert not Decision.objects.exists()


def test_a_rule_that_only_files_enforces_nothing(tracking: Configure) -> None:
    tracking(ENFORCE="block")

    cases.file([finding("login-hammering", decides=False)], now=SOON)

    assert the_case().enforcement == "none"
    assert not Decision.objects.exists()

    cases.file([finding()], now=SOON)

    assert the_case().enforcement == "block"


def test_a_decision_that_stands_is_not_made_again(tracking: Configure) -> None:
    tracking(ENFORCE="block")
    cases.file([finding()], now=SOON)

    cases.file([finding("probing")], now=SOON + timedelta(minutes=1))

    assert Decision.objects.count() == 1

    cases.file([finding("foreign-software")], now=SOON + timedelta(hours=2))

    assert Decision.objects.count() == 2


def test_whoever_comes_back_after_a_block_is_blocked_for_twice_as_long(tracking: Configure) -> None:
    tracking(ENFORCE="block", ENFORCE_FOR_S=3_600)
    lengths = []

    for number, hour in enumerate((0, 2, 5, 10)):
        at = SOON + timedelta(hours=hour)
        cases.file([finding(f"rule-{number}", first=at)], now=at)
        lengths.append(the_case().enforced_until - at)

    assert lengths == [timedelta(hours=hours) for hours in (1, 2, 4, 8)]


@pytest.mark.parametrize("hours", [None, 24])
def test_a_persons_block_is_never_replaced_by_a_detectors(tracking: Configure, hours: int | None) -> None:
    """The batch that was under way when somebody blocked the network for good must not turn that into an hour."""
    tracking(ENFORCE="block")
    cases.file([finding()], now=SOON)
    decide(Action.BLOCK, "A stranger to us", hours=hours, verdict="malicious")

    cases.file([finding("probing")], now=SOON + timedelta(hours=2))

    [standing] = Decision.objects.standing(SOON + timedelta(hours=2))
    assert standing.by_person
    assert standing.until == (SOON + timedelta(hours=24) if hours else None)
    assert the_case().enforced_until == standing.until


def test_a_log_file_never_enforces(tracking: Configure) -> None:
    tracking(ENFORCE="block")

    cases.file([finding()], source="access.log", now=SOON)

    assert not Decision.objects.exists()
    assert (the_case().source, the_case().enforcement) == ("access.log", "none")


def decide_allow(network: str) -> None:
    decisions.decide("allow", network, until=None, reason="ours", actor="dana", by_person=True, now=SOON)


def staff_was_here(at: datetime) -> None:
    store_batch("0" * 32, [event(at, staff=True, user="1")], lambda _: "", SOON)


SPARED: list[tuple[str, str, Callable[[], object]]] = [
    ("127.0.0.1", "loopback", lambda: None),
    ("::/64", "loopback", lambda: None),  # the client ::1
    ("10.0.0.5", "a trusted proxy", lambda: None),
    ("2001:db8:9:9::/64", "a trusted proxy", lambda: None),  # it has ::77
    (ATTACKER, "on the allow-list", lambda: decide_allow(ATTACKER)),
    (ATTACKER, "on the allow-list", lambda: decide_allow("203.0.113.0/24")),
    (ATTACKER, "staff was signed in", lambda: staff_was_here(SOON - timedelta(hours=23))),
]


@pytest.mark.parametrize(("network", "why", "prepare"), SPARED)
def test_some_networks_are_never_decided_against_and_the_case_says_why(
    tracking: Configure, network: str, why: str, prepare: Callable[[], object]
) -> None:
    tracking(ENFORCE="block", TRUSTED_PROXIES=["10.0.0.0/8", "2001:db8:9:9::77"])
    prepare()

    cases.file([finding(network=network)], now=SOON)

    assert why in the_case().note
    assert the_case().enforcement == "none"
    assert not Decision.objects.exclude(kind="allow").exists()


def test_staff_seen_longer_ago_or_elsewhere_spares_nobody(tracking: Configure) -> None:
    tracking(ENFORCE="block")
    staff_was_here(SOON - timedelta(hours=25))
    store_batch("1" * 32, [event(SOON, network="198.51.100.7", staff=True)], lambda _: "", SOON)

    cases.file([finding()], now=SOON)

    assert the_case().enforcement == "block"
    assert the_case().note == ""


def test_an_unblocked_network_is_spared_for_a_while(tracking: Configure) -> None:
    """Else the rows of yesterday would block it again at the next sweep."""
    tracking(ENFORCE="block")
    cases.file([finding()], now=SOON)
    decide(Action.UNBLOCK, "A customer called")

    cases.file([finding("probing")], now=SOON + timedelta(hours=23))

    assert "a person said" in the_case().note
    assert the_case().enforcement == "none"

    cases.file([finding("foreign-software")], now=SOON + timedelta(hours=25))

    assert the_case().note == ""
    assert the_case().enforcement == "block"


def test_a_network_judged_benign_is_spared_for_thirty_days(tracking: Configure) -> None:
    judged_benign()
    tracking(ENFORCE="block")

    for days, enforced in ((29, "none"), (31, "block")):
        found, at = later(days=days)
        cases.file([found], now=at)
        assert the_case().enforcement == enforced, days


def test_a_sweep_spares_whom_a_person_unblocked(tracking: Configure) -> None:
    tracking(ENFORCE="block")
    cases.file([finding()], now=SOON)
    decide(Action.UNBLOCK, "A customer called")
    guessed = [failed_login(SOON + timedelta(minutes=n), f"10.0.{n}.7") for n in range(9)]
    store_batch("2" * 32, [*guessed, failed_login(SOON)], lambda _: "failed-login", SOON)

    sweep.run(SOON + timedelta(hours=2))

    case = SuspiciousIP.objects.get(network=ATTACKER)
    assert case.findings.filter(rule="distributed-login").exists()
    assert (case.enforcement, case.note) == ("none", "Not enforced: a person said to leave it alone.")
    assert Decision.objects.standing(SOON + timedelta(hours=2)).count() == 9


def test_a_block_that_a_person_lifted_leaves_the_case_closed_for_a_day() -> None:
    cases.file([finding()], now=SOON)
    decide(Action.BLOCK, "A stranger to us", verdict="malicious")
    decide(Action.UNBLOCK, "A customer called")

    for hours, triage in ((23, "closed"), (25, "open")):
        at = SOON + timedelta(hours=hours)
        cases.file([finding("probing", first=at)], now=at)
        assert the_case().triage == triage, hours


# After the verdict


def judged_benign() -> None:
    cases.file([finding()], now=SOON)
    decide(Action.JUDGE, "Our own monitor", verdict="benign")


def later(**passed: float) -> tuple[Finding, datetime]:
    at = SOON + timedelta(**passed)
    return finding("probing", first=at), at


def test_a_benign_case_stays_closed_while_it_cools_down() -> None:
    judged_benign()
    found, at = later(days=29)

    cases.file([found], now=at)

    assert (the_case().triage, the_case().reopened) == ("closed", False)
    assert the_case().findings.count() == 2


def test_a_benign_case_comes_back_after_that_with_the_verdict_it_had() -> None:
    judged_benign()
    found, at = later(days=31)

    cases.file([found], now=at)

    assert (the_case().triage, the_case().reopened, the_case().verdict) == ("open", True, "benign")


def test_what_happened_before_the_verdict_reopens_nothing() -> None:
    """A batch that comes late tells of what the person knew."""
    judged_benign()

    cases.file([finding("probing", first=NOON - timedelta(hours=3))], now=SOON + timedelta(days=31))

    assert the_case().triage == "closed"


def test_a_blocked_case_comes_back_with_what_happens_after_the_block() -> None:
    cases.file([finding()], now=SOON)
    decide(Action.BLOCK, "A stranger to us", hours=1, verdict="malicious")
    found, at = later(hours=2)

    cases.file([found], now=at)

    assert (the_case().triage, the_case().reopened, the_case().verdict) == ("open", True, "malicious")


def test_evidence_keeps_no_more_than_it_needs() -> None:
    """No user, no route, no duration: what an analyst judges by, and an account only as its key."""
    cases.file([finding(evidence=(failed_login(user="7", query="page=1"),))], now=SOON)

    [shown] = CaseFinding.objects.get().evidence
    assert set(shown) == {
        "at", "request_id", "address", "method", "path", "query", "status", "user_agent", "account", "symptoms",
    }  # fmt: skip
    assert to_us(datetime.fromisoformat(shown["at"])) == to_us(NOON)


def test_evidence_that_no_database_stores_is_made_storable() -> None:
    """Lines of a log file come with raw bytes: one of them must not fail the whole file."""
    hostile = failed_login(user_agent="\x00 \udc80", path="/" + "\ud83d" * 1_000)

    cases.file([finding(evidence=(hostile,))], source="access.log", now=SOON)

    [shown] = CaseFinding.objects.get().evidence
    assert shown["user_agent"] == "\ufffd ?"
    assert len(shown["path"]) == 512
