"""The search language of the queue: what each term finds, and what is said where about a search that cannot be read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ip_tracking.detection.finding import Severity
from ip_tracking.models import SuspiciousIP
from ip_tracking.outcomes import account_key
from ip_tracking.review import search as language
from ip_tracking.review.search import FIELDS, MOST_CHARS, MOST_TERMS, SearchError, Term, parse, search
from tests.review.conftest import file
from tests.traffic import ATTACKER, NOON, failed_login, finding, good_login, stored

NEIGHBOUR, OTHER, V6 = "203.0.113.200", "198.51.100.4", "2001:db8:1:2::/64"


def found(text: str) -> set[str]:
    return set(SuspiciousIP.objects.filter(search(text)).values_list("network", flat=True))


def error(text: str) -> SearchError:
    with pytest.raises(SearchError) as caught:
        search(text)
    return caught.value


# Terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  ", []),
        ("203.0.113.7", [Term("ip", "203.0.113.7", False, 0, 11)]),
        (" -203.0.113.7 ", [Term("ip", "203.0.113.7", True, 1, 13)]),
        ("2001:db8::7", [Term("ip", "2001:db8::7", False, 0, 11)]),
        ("dead:beef::/32", [Term("ip", "dead:beef::/32", False, 0, 14)]),  # not the field "dead"
        ("ip:2001:db8::7", [Term("ip", "2001:db8::7", False, 0, 14)]),
        ("RULE:probing", [Term("rule", "probing", False, 0, 12)]),
        ('source:"old access.log"', [Term("source", "old access.log", False, 0, 23)]),
        ('source:"say ""hi"""', [Term("source", 'say "hi"', False, 0, 19)]),
        ("source:-x", [Term("source", "-x", False, 0, 9)]),
        ("-user:ada rule:probing", [Term("user", "ada", True, 0, 9), Term("rule", "probing", False, 10, 22)]),
        ("user:a:b@c", [Term("user", "a:b@c", False, 0, 10)]),
    ],
)
def test_a_search_is_read_term_by_term(text: str, terms: list[Term]) -> None:
    assert parse(text) == terms


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {ATTACKER, NEIGHBOUR, OTHER, V6}),
        ("203.0.113.9", {ATTACKER}),
        ("ip:::ffff:203.0.113.9", {ATTACKER}),
        ("203.0.113.0/24", {ATTACKER, NEIGHBOUR}),
        ("203.0.113.77/24 -203.0.113.9", {NEIGHBOUR}),
        ("2001:db8:1:2:aaaa::1", {V6}),
        ("-203.0.113.0/24", {OTHER, V6}),
        ("203.0.113.9 198.51.100.4", set()),
        ("rule:probing", {NEIGHBOUR, OTHER}),
        ("-rule:probing", {ATTACKER, V6}),
        ("rule:probing rule:login-brute-force", {NEIGHBOUR}),
        ("severity:critical", {V6}),
        ("severity:HIGH -rule:probing", {ATTACKER}),
        ("verdict:none", {ATTACKER, NEIGHBOUR, OTHER}),
        ("-verdict:none", {V6}),
        ("verdict:benign", {V6}),
        ('source:"old access.log"', {OTHER}),
        ("-source:live", {OTHER}),
        ("source:LIVE", set()),
        ("user:ada", {ATTACKER, NEIGHBOUR}),
        ('user:" Ada "', {ATTACKER, NEIGHBOUR}),
        ("-user:ada", {OTHER, V6}),
        ("user:nobody", set()),
    ],
)
def test_what_a_search_finds(text: str, expected: set[str]) -> None:
    file(finding())
    file(finding("probing", network=NEIGHBOUR, severity=Severity.MEDIUM), finding(network=NEIGHBOUR))
    file(finding("probing", network=OTHER, severity=Severity.MEDIUM))
    file(finding(network=V6, severity=Severity.CRITICAL))
    SuspiciousIP.objects.filter(network=OTHER).update(source="old access.log")
    SuspiciousIP.objects.filter(network=V6).update(verdict="benign")
    ada = account_key("ada")
    stored(failed_login(account=ada), good_login(network=NEIGHBOUR, account=ada), failed_login(network=OTHER))

    assert found(text) == expected


@pytest.mark.django_db
def test_two_findings_of_a_rule_are_one_case() -> None:
    file(finding("probing", first=NOON), finding("probing", first=NOON + timedelta(hours=2)))

    assert SuspiciousIP.objects.filter(search("rule:probing")).count() == 1


@pytest.mark.django_db
def test_of_an_account_that_everybody_tries_the_latest_logins_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "MOST_LOGINS", 2)
    file(finding())
    file(finding(network=OTHER))
    tries = [failed_login(NOON + timedelta(seconds=second), OTHER, account_key("ada")) for second in (1, 2)]
    stored(failed_login(NOON, ATTACKER, account_key("ada")), *tries)

    assert found("user:ada") == {OTHER}


# Errors


@pytest.mark.parametrize(
    ("text", "marked", "told"),
    [
        ("203.0.113", "203.0.113", "'203.0.113' is no address. Write an address or a CIDR"),
        ("severity:high 203.0.113.300", "203.0.113.300", "no address"),
        ("severity:high ip:x", "ip:x", "'x' is no address"),
        ("colour:red", "colour:", "There is no field 'colour'. Write one of ip:, rule:"),
        ("-colour:red", "-colour:", "There is no field 'colour'"),
        ("severty:high", "severty:", "Did you mean severity?"),
        ("path:/.env", "path:", "There is no field 'path'"),
        ("rule:probin", "rule:probin", "There is no rule 'probin'. Did you mean probing?"),
        ("severity:grave", "severity:grave", "Write one of low, medium, high, critical."),
        ("verdict:guilty", "verdict:guilty", "Write one of none, "),
        ("rule:", "rule:", "There is no value"),
        ("rule: probing", "rule:", "There is no value"),
        ('user:""', 'user:""', "There is no value"),
        ('user:"  "', 'user:"  "', "There is no value"),
        ("-", "-", "There is no value"),
        ("203.0.113.7 - rule:probing", "-", "There is no value"),
        ("--rule:probing", "--rule:", "There is no field '-rule'"),
        ('source:"old access.log', '"old access.log', "never closed"),
        ('source:"old"log', 'source:"old"l', "around the whole value"),
        ('source:old"log"', 'source:old"', "around the whole value"),
        ("user:a\x00b", "\\x00", "cannot be searched for"),
        ("user:\ud800", "\\ud800", "cannot be searched for"),
    ],
)
def test_what_cannot_be_read_is_marked_with_what_would_be_right(text: str, marked: str, told: str) -> None:
    wrong = error(text)

    assert wrong.marked == marked
    assert told in str(wrong)
    assert wrong.column == wrong.start + 1


def test_a_search_too_long_or_of_too_many_terms_is_told_so() -> None:
    assert "at most 500 characters" in str(error("1" * (MOST_CHARS + 1)))
    assert "at most 20 terms" in str(error("::1 " * (MOST_TERMS + 1)))
    assert len(parse("::1 " * MOST_TERMS)) == MOST_TERMS


def test_what_stands_around_the_mark_is_shown_with_hidden_characters_visible() -> None:
    wrong = error("user:\u202eada colour:red rule:probing")

    assert (wrong.before, wrong.marked, wrong.after) == ("user:\\u202eada ", "colour:", "red rule:probing")


PIECES = st.sampled_from([*(f"{name}:" for name in FIELDS), "-", '"', " ", ":", "203.0.113.7", "::/0", "/", "probing"])


@pytest.mark.django_db
@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.lists(PIECES | st.text(max_size=3)).map("".join))
def test_any_text_is_asked_of_the_database_or_refused_with_a_place_inside_it(text: str) -> None:
    wrong = refusal(text)

    if wrong:
        assert str(wrong)
        assert 0 <= wrong.start < wrong.end <= len(text)
    else:
        read = "".join(text[term.start : term.end] for term in parse(text))
        assert "".join(read.split()) == "".join(text.split())  # nothing was left out


def refusal(text: str) -> SearchError | None:
    try:
        SuspiciousIP.objects.filter(search(text)).count()
    except SearchError as wrong:
        return wrong
    return None
