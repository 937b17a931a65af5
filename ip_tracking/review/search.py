"""The search language of the queue: `203.0.113.0/24 rule:probing -verdict:benign`. All terms must hold.

Pure: text in, a filter of SuspiciousIP out. Every term is answered by an index: what would need a scan of the request
log or of evidence is no term.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from ip_tracking.detection.table import RULES_BY_NAME
from ip_tracking.models import CaseFinding, RequestLog, SuspiciousIP
from ip_tracking.models.span import span_of
from ip_tracking.outcomes import account_key
from ip_tracking.visible import visible

MOST_CHARS = 500
MOST_TERMS = 20

# An account that is guessed at from everywhere has millions of tries. So many of the latest are a tenth of a second.
MOST_LOGINS = 10_000

FIELD = re.compile(r"[A-Za-z_-]+(?=:)")
BARE = re.compile(r"[^\s\"]+")
QUOTED = re.compile(r'"((?:[^"]|"")*)"(?!")')

# Control characters and surrogates: no database finds them, PostgreSQL refuses to look.
UNSEARCHABLE = frozenset({"Cc", "Cs"})

HELP = (
    ("203.0.113.7", "the case of an address, or of the network around it"),
    ("203.0.113.0/24", "cases in a range; ip:203.0.113.0/24 says the same"),
    ("rule:probing", "cases with a finding of this rule"),
    ("severity:high", "low, medium, high or critical"),
    ("verdict:none", "as people judged it; none: not yet"),
    ("source:live", 'live traffic, or the log file it came from: source:"old access.log"'),
    (
        "user:ada",
        f"networks that logged in as ada, or tried to: a name or e-mail as typed (the latest {MOST_LOGINS:,} tries)",
    ),
    ("-rule:probing", "a minus in front of a term leaves out what it finds"),
)


class SearchError(ValueError):
    """What is wrong with a search, where, and what would be right."""

    def __init__(self, message: str, text: str, start: int, end: int) -> None:
        super().__init__(message)
        self.text, self.start, self.end = text, start, end

    @property
    def column(self) -> int:
        return self.start + 1

    @property
    def before(self) -> str:
        return visible(self.text[: self.start], MOST_CHARS)

    @property
    def marked(self) -> str:
        return visible(self.text[self.start : self.end])

    @property
    def after(self) -> str:
        return visible(self.text[self.end :])


class Term(NamedTuple):
    """One condition. `start` and `end`: where it stands in the text."""

    field: str
    value: str
    negated: bool
    start: int
    end: int


class WrongValue(ValueError):
    """The value of a term; the text says what would be right."""


def search(text: str) -> Q:
    """Returns the filter of a search, all cases for an empty one; raises SearchError, and nothing else."""
    found = Q()
    for term in parse(text):
        try:
            condition = FIELDS[term.field](term.value)
        except WrongValue as error:
            raise SearchError(str(error), text, term.start, term.end) from error
        found &= ~condition if term.negated else condition
    return found


def parse(text: str) -> list[Term]:
    """Returns the terms of a search; raises SearchError where it cannot be read."""
    _refuse_unsearchable(text)
    terms: list[Term] = []
    place = _skip_space(text, 0)
    while place < len(text):
        term = _term(text, place)
        terms.append(term)
        if len(terms) > MOST_TERMS:
            raise SearchError(f"Write at most {MOST_TERMS} terms.", text, place, len(text))
        place = _skip_space(text, term.end)
    return terms


def _refuse_unsearchable(text: str) -> None:
    if len(text) > MOST_CHARS:
        raise SearchError(f"Write at most {MOST_CHARS} characters.", text, MOST_CHARS, len(text))
    for place, character in enumerate(text):
        if unicodedata.category(character) in UNSEARCHABLE and not character.isspace():
            raise SearchError("This character cannot be searched for. Take it out.", text, place, place + 1)


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _term(text: str, start: int) -> Term:
    """Reads the term that begins here: `-field:value`, where the minus and the field may be absent."""
    negated = text[start] == "-"
    place = start + negated
    field = _field(text, start, place)
    if field:
        place += len(field) + 1
    value, end = _value(text, start, place)
    return Term(field.lower() or "ip", value, negated, start, end)


def _field(text: str, start: int, place: int) -> str:
    """Returns the name before the colon, "" where the term is an address: those of IPv6 have colons too."""
    match, bare = FIELD.match(text, place), BARE.match(text, place)
    if match is None or (bare and _is_network(bare[0])):
        return ""
    if match[0].lower() not in FIELDS:
        names = ", ".join(f"{name}:" for name in FIELDS)
        raise SearchError(
            f"There is no field {visible(match[0])!r}.{_near(match[0], FIELDS)} Write one of {names} or an address.",
            text,
            start,
            match.end() + 1,
        )
    return match[0]


def _value(text: str, start: int, place: int) -> tuple[str, int]:
    """Returns the value that begins here and where it ends. In quotes a quote is written twice."""
    quoted = QUOTED.match(text, place)
    match = quoted or BARE.match(text, place)
    if match is None and text[place : place + 1] == '"':
        raise SearchError('This quote is never closed. Write a second " after the value.', text, place, len(text))
    value = quoted[1].replace('""', '"').strip() if quoted else match[0] if match else ""
    end = match.end() if match else place
    if not value:
        raise SearchError(
            'There is no value. Write one behind it without a space, as in rule:probing or source:"old access.log".',
            text,
            start,
            max(end, start + 1),
        )
    if end < len(text) and not text[end].isspace():
        raise SearchError("Put quotes around the whole value, and a space behind them.", text, start, end + 1)
    return value, end


def _near(wrong: str, right: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong.lower(), right, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _is_network(text: str) -> bool:
    try:
        span_of(text)
    except ValueError:
        return False
    return True


def _in_network(value: str) -> Q:
    try:
        span = span_of(value)
    except ValueError as error:
        raise WrongValue(
            f"{visible(value)!r} is no address. Write an address or a CIDR, such as 203.0.113.7 or 203.0.113.0/24."
        ) from error
    return Q(span_first__lte=span.last, span_last__gte=span.first)


def _with_finding(value: str) -> Q:
    if value not in RULES_BY_NAME:
        raise WrongValue(f"There is no rule {visible(value)!r}.{_near(value, RULES_BY_NAME)} docs/rules.md lists them.")
    return Q(Exists(CaseFinding.objects.filter(case=OuterRef("pk"), rule=value)))


def _one_of(field: str, words: dict[str, str]) -> Callable[[str], Q]:
    """`words`: what people write -> what the column holds."""

    def condition(value: str) -> Q:
        if value.lower() not in words:
            raise WrongValue(f"{visible(value)!r} is no {field}.{_near(value, words)} Write one of {', '.join(words)}.")
        return Q(**{field: words[value.lower()]})

    return condition


def _from_source(value: str) -> Q:
    return Q(source=value)


def _logged_in_as(value: str) -> Q:
    """By the account that logins named, which the log keeps as a keyed hash and has an index on; ids it has not."""
    logins = RequestLog.objects.filter(account=account_key(value)).order_by("-at")
    networks = logins.values_list("network", flat=True)[:MOST_LOGINS]
    # MariaDB takes no LIMIT within an IN.
    return Q(network__in=networks if connection.features.allow_sliced_subqueries_with_in else list(networks))


FIELDS: dict[str, Callable[[str], Q]] = {
    "ip": _in_network,
    "rule": _with_finding,
    "severity": _one_of("severity", {value: value for value in SuspiciousIP.Severity.values}),
    "verdict": _one_of("verdict", {value or "none": value for value in SuspiciousIP.Verdict.values}),
    "source": _from_source,
    "user": _logged_in_as,
}
