"""Whose a case is, when it comes back, and what was found to be true of it: apart from what stands against it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from ip_tracking import cases
from ip_tracking.detection.finding import Severity
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, ReviewAction, SuspiciousIP
from ip_tracking.review import roles
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor, NotAllowed
from ip_tracking.review.order import LONGEST_SNOOZE, Action, NotPossible, Order
from ip_tracking.review.queue import Tab, within
from ip_tracking.review.rails import MOST_AT_ONCE, Result, preview
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, finding

pytestmark = pytest.mark.django_db

DANA, LEE = Actor(id="7", name="dana"), Actor(id="8", name="lee")
WHY = "Card testing since noon"
HOUR = timedelta(hours=1)


def act(order: Order, case: SuspiciousIP, *, actor: Actor = DANA, now: datetime = NOON, **how: Any) -> Result:
    return apply(order, {case.pk: how.pop("version", None)}, actor=actor, now=now, **how)


def again(case: SuspiciousIP) -> SuspiciousIP:
    case.refresh_from_db()
    return case


def listed(tab: Tab, now: datetime, user_id: Any = None) -> list[SuspiciousIP]:
    """What the queue shows in this tab."""
    return list(SuspiciousIP.objects.filter(within(tab, user_id, now)))


def holding(role: str) -> Actor:
    return Actor(id="9", name=role, permissions=frozenset(roles.ROLES[role]))


# Triage


def test_a_case_is_taken_and_given_back() -> None:
    user: Any = get_user_model().objects.create_superuser("sam")
    case = file(finding())

    act(Order(Action.ASSIGN, assignee=str(user.pk)), case)
    taken = listed(Tab.MINE, NOON, user.pk)
    act(Order(Action.ASSIGN), case)

    assert taken == [case]
    assert again(case).assignee is None
    user.delete()


@pytest.mark.parametrize("assignee", ["", "no id", "4711", "viewer"])
def test_nobody_is_given_a_case_who_may_not_review(assignee: str) -> None:
    viewer: Any = get_user_model().objects.create_user("viewer")
    case = file(finding())

    with pytest.raises(NotPossible, match="nobody who may review"):
        act(Order(Action.ASSIGN, assignee=str(viewer.pk) if assignee == "viewer" else assignee), case)


def test_a_snoozed_case_comes_back_at_its_time() -> None:
    case = file(finding())

    act(Order(Action.SNOOZE, until=NOON + HOUR), case)

    assert (listed(Tab.REVIEW, NOON), listed(Tab.SNOOZED, NOON)) == ([], [case])
    assert (listed(Tab.REVIEW, NOON + HOUR), listed(Tab.SNOOZED, NOON + HOUR)) == ([case], [])


@pytest.mark.parametrize(("worse", "waits"), [(True, True), (False, False)])
def test_a_snoozed_case_comes_back_when_it_gets_worse_where_that_was_asked(worse: bool, waits: bool) -> None:
    case = file(finding())
    act(Order(Action.SNOOZE, until=NOON + 24 * HOUR, worse=worse), case)

    cases.file([finding("a-low-rule", severity=Severity.LOW)], now=NOON + HOUR)
    still = again(case).triage
    cases.file([finding("probing", severity=Severity.MEDIUM)], now=NOON + HOUR)

    assert still == "snoozed"
    assert (again(case) in listed(Tab.REVIEW, NOON + HOUR)) is waits


@pytest.mark.parametrize(
    "order",
    [
        Order(Action.SNOOZE, worse=False),
        Order(Action.SNOOZE, until=NOON),
        Order(Action.SNOOZE, until=NOON + LONGEST_SNOOZE + HOUR),
    ],
)
def test_a_snooze_without_an_end_is_refused(order: Order) -> None:
    with pytest.raises(NotPossible, match="Snooze until a time within 90 days"):
        act(order, file(finding()))


@pytest.mark.parametrize("verdict", ["malicious", "benign", "false_positive", "testing", "inconclusive"])
def test_a_verdict_closes_the_case_and_harmless_ones_spare_it(verdict: str) -> None:
    case = file(finding())

    act(Order(Action.JUDGE, WHY, verdict=verdict), case)

    assert (again(case).triage, case.verdict, case.enforcement) == ("closed", verdict, "none")
    assert (case.spared_until is not None) == (verdict in ("benign", "false_positive", "testing"))


@pytest.mark.parametrize("verdict", ["", "guilty"])
def test_what_is_no_verdict_is_refused(verdict: str) -> None:
    with pytest.raises(NotPossible, match="give one of malicious, benign"):
        act(Order(Action.JUDGE, WHY, verdict=verdict), file(finding()))


def test_a_closed_case_is_opened_again_by_a_person_and_nothing_of_the_verdict_stays() -> None:
    case = file(finding())
    act(Order(Action.JUDGE, WHY, verdict="benign"), case)

    act(Order(Action.REOPEN), case)

    assert (again(case).triage, case.verdict, case.judged_at, case.spared_until) == ("open", "", None, None)


def test_a_comment_is_kept_and_changes_nothing_else() -> None:
    case = file(finding())

    act(Order(Action.COMMENT, "Asked the hoster."), case)

    assert ReviewAction.objects.get().text.reason == "Asked the hoster."
    assert (again(case).triage, case.version) == ("open", 2)


# Allowing


def test_an_allowed_network_passes_and_what_stood_against_it_ends() -> None:
    case = file(finding())
    act(Order(Action.BLOCK, WHY, hours=1), case)

    act(Order(Action.ALLOW, WHY, hours=24), case)

    [standing] = Decision.objects.standing(NOON)
    assert (standing.kind, standing.until) == ("allow", NOON + 24 * HOUR)
    assert (again(case).enforcement, case.enforced_until) == ("allow", NOON + 24 * HOUR)
    act(Order(Action.UNBLOCK, WHY), case)
    assert not Decision.objects.standing(NOON).exists()


# Whoever saw another state


def test_who_saw_an_older_version_is_told_who_changed_what() -> None:
    case = file(finding())
    act(Order(Action.COMMENT, "Mine, please wait."), case, actor=LEE)

    result = act(Order(Action.BLOCK, WHY, hours=1), case, version=1, now=NOON + timedelta(minutes=3))

    [refused] = result.refused
    assert refused.stale
    assert refused.why == "Changed by lee 3 minutes ago (comment): look at it again."
    assert again(case).enforcement == "none"


def test_a_detector_that_changed_the_case_is_named_too(tracking: Callable[..., object]) -> None:
    case = file(finding())
    tracking(ENFORCE="block")
    cases.file([finding("probing")], now=NOON)

    [refused] = act(Order(Action.UNBLOCK, WHY), case, version=1).refused

    assert refused.why == "A detector changed it meanwhile: look at it again."


def test_an_attack_that_goes_on_makes_nobodys_view_stale() -> None:
    case = file(finding())
    cases.file([finding(count=99)], now=NOON + HOUR)

    assert act(Order(Action.BLOCK, WHY, hours=1), case, version=1).done == [case]


def test_a_dry_run_tells_and_does_nothing() -> None:
    ours, theirs = file(finding(network="127.0.0.1")), file(finding())

    result = apply(
        Order(Action.BLOCK, WHY, hours=1), {ours.pk: None, theirs.pk: None}, actor=DANA, now=NOON, dry_run=True
    )

    assert (result.done, [one.case for one in result.refused]) == ([theirs], [ours])
    assert again(theirs).enforcement == "none"
    assert not ReviewAction.objects.exists()
    assert not Decision.objects.exists()


def test_a_preview_tells_what_would_be_refused_in_as_many_queries_for_twenty_as_for_two(
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    chosen = [file(finding(network=f"198.51.100.{number}")) for number in range(20)]
    for case in chosen[10:]:
        act(Order(Action.COMMENT, WHY), case, actor=LEE)

    with django_assert_max_num_queries(4):
        result = preview(Action.BLOCK, {case.pk: 1 for case in chosen}, actor=DANA, now=NOON)

    assert result.done == chosen[:10]
    assert {one.why for one in result.refused} == {"Changed by lee 0 seconds ago (comment): look at it again."}
    assert not Decision.objects.exists()


def test_a_preview_is_for_those_who_may() -> None:
    with pytest.raises(NotAllowed, match="block"):
        preview(Action.BLOCK, {1: None}, actor=holding("Security viewer"), now=NOON)
    with pytest.raises(NotAllowed, match="more than 100"):
        preview(Action.BLOCK, dict.fromkeys(range(101)), actor=holding("Security analyst"), now=NOON)


# Roles


def test_the_migration_made_the_groups_that_the_roles_say() -> None:
    for name, codenames in roles.ROLES.items():
        made = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        assert set(made) == set(codenames)


SHORT, LONG, FOR_GOOD = (Order(Action.BLOCK, WHY, hours=hours) for hours in (168, 169, None))
ALLOW, JUDGE, COMMENT = Order(Action.ALLOW, WHY), Order(Action.JUDGE, WHY, verdict="benign"), Order(Action.COMMENT, WHY)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("Security viewer", [], [SHORT, JUDGE, COMMENT, ALLOW, Order(Action.UNBLOCK, WHY)]),
        ("Security analyst", [SHORT, JUDGE, COMMENT, Order(Action.UNBLOCK, WHY)], [LONG, FOR_GOOD, ALLOW]),
        ("Security lead", [SHORT, LONG, FOR_GOOD, ALLOW, JUDGE, COMMENT], []),
    ],
)
def test_each_role_may_do_its_own(role: str, may: list[Order], may_not: list[Order]) -> None:
    case = file(finding())

    for order in may_not:
        with pytest.raises(NotAllowed, match="takes the permission ip_tracking"):
            act(order, case, actor=holding(role))
    assert not ReviewAction.objects.exists()
    for order in may:
        assert act(order, case, actor=holding(role)).done == [case]


def test_many_cases_at_once_are_a_leads() -> None:
    many = dict.fromkeys(range(1, roles.FEW_CASES + 2))

    with pytest.raises(NotAllowed, match="more than 100 cases at once"):
        apply(COMMENT, many, actor=holding("Security analyst"), now=NOON)
    assert apply(COMMENT, many, actor=holding("Security lead"), now=NOON).done == []


def test_more_than_a_page_can_show_are_refused() -> None:
    with pytest.raises(NotPossible, match="At most 200"):
        apply(COMMENT, dict.fromkeys(range(MOST_AT_ONCE + 1)), actor=holding("Security lead"), now=NOON)


def test_blocked_and_allowed_networks_say_so_to_the_gate(
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    case = file(finding())

    with django_capture_on_commit_callbacks(execute=True):
        act(Order(Action.ALLOW, WHY), case)
    decisions.refresh(NOON)

    found = decisions.find(ATTACKER, NOON)
    assert found is not None
    assert found.kind == "allow"
