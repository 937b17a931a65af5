"""The catalogue and the house agree: each number is sent by somebody, as it says, with values that the house has."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from celery import states
from django.urls import URLPattern, URLResolver, get_resolver

from ip_tracking import conf
from ip_tracking.detection.finding import Severity
from ip_tracking.detection.rules import RULES
from ip_tracking.gate.policies import CHOICES, SHIPPED
from ip_tracking.gate.verdict import BLOCK, THROTTLE
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import Action
from ip_tracking.webhook.deliver import Outcome
from metrics import catalogue, emit
from metrics.entry import Event, Metric, ServiceCheck, Tag
from metrics.names import clean
from tests.metrics.calls import ENTRIES, Call, calls, modules, named

# Entries that nobody sends yet, by their names in the catalogue. Each goes from here with the change that sends it.
NOT_YET: set[str] = set()

# What a caller, or a person, chose: never a tag, and never part of one.
HOSTILE = {
    "path", "path_info", "full_path", "get_full_path", "get_full_path_info", "build_absolute_uri", "raw_path", "url",
    "query", "GET", "POST", "COOKIES", "META", "headers", "body", "content", "address", "network", "ip", "remote_addr",
    "client", "user", "user_id", "username", "email", "account", "agent", "user_agent", "referer", "request_id",
    "session", "device", "token", "reason_given", "comment", "text", "message", "args", "kwargs", "actor", "pk", "id",
}  # fmt: skip

CALLS = [pytest.param(call, id=call.where) for call in calls()]


def test_every_entry_is_sent_by_somebody() -> None:
    assert ENTRIES.keys() - named() == NOT_YET


def test_there_are_calls_of_each_kind_to_look_at() -> None:
    """Else the tests below would hold of nothing."""
    assert {call.kind for call in calls()} >= {"count", "gauge", "distribution"}
    assert len(calls()) > 30


@pytest.mark.parametrize("call", CALLS)
def test_it_is_sent_as_what_it_is(call: Call) -> None:
    if call.entry is None:
        return
    kinds = {Metric: getattr(call.entry, "type", ""), ServiceCheck: "check", Event: "event"}

    assert call.kind == kinds[type(call.entry)]


@pytest.mark.parametrize("call", CALLS)
def test_it_is_sent_with_its_tags_and_with_values_that_they_have(call: Call) -> None:
    if call.entry is None:
        return
    tags = {tag.key: tag for tag in call.entry.tags}

    assert call.tags.keys() <= tags.keys()
    assert call.spread or call.tags.keys() == tags.keys()
    for key, value in literals(call):
        allowed = tags[key].values
        assert clean(value) == value
        assert allowed is None or value in allowed, f"{key}={value!r}"


@pytest.mark.parametrize("call", CALLS)
def test_no_tag_is_made_of_what_a_caller_chose(call: Call) -> None:
    """As far as the call itself shows: nothing composed, and no name that means an address, a path or a person."""
    for key, value in call.tags.items():
        names = set(made_of(value))
        assert not names & HOSTILE, f"{call.where}: {key} is made of {names & HOSTILE}"
        assert not any(isinstance(node, ast.JoinedStr | ast.BinOp) for node in ast.walk(value)), call.where


def made_of(node: ast.AST) -> Iterator[str]:
    """What an expression hands on: of `deed.actor.via` the last part, of `request.path.lower()` the path."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from (name for part in (node.func, node.func.value, *node.args) for name in made_of(part))
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield from (*made_of(node.value), str(node.slice.value))
    else:
        yield from (name for part in ast.iter_child_nodes(node) for name in made_of(part))


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("deed.actor.via", {"via"}), ("request.path.lower()", {"path", "lower"}),
        ("str(request.path)", {"path", "str"}),
        ("_route(request)", {"_route", "request"}), ("path if path else 'none'", {"path"}), ("'ok'", set()),
        ("type(error).__name__", {"__name__"}), ("tags['ip']", {"tags", "ip"}),
        ("record.name.partition('.')[0]", {"partition", "name", "0"}),
        ("names.get(client.network, 'x')", {"get", "names", "network"}),
    ],
)  # fmt: skip
def test_what_a_tag_is_made_of_is_seen(expression: str, names: set[str]) -> None:
    assert set(made_of(ast.parse(expression, mode="eval").body)) == names


def test_nobody_goes_past_the_catalogue() -> None:
    """The library is called by the one module that wraps it, and no other opens a socket to the Agent."""
    importing = {
        path.relative_to(path.parents[1]).as_posix()
        for path, module in modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom) and "datadog.dogstatsd" in ast.unparse(node)
    }

    assert importing <= {"metrics/client.py", "metrics/outbox.py", "metrics/dog.py"}


def literals(call: Call) -> Iterator[tuple[str, str]]:
    for key, value in call.tags.items():
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield key, value.value


def written(entry: Metric, key: str) -> set[str]:
    """The values of a tag that stand in the calls themselves."""
    return {value for call in calls() if call.entry is entry for name, value in literals(call) if name == key}


# Closed sets, each beside the enumeration that it stands for.


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        (catalogue.SEVERITY, set(Severity)),
        (catalogue.SEVERITY, set(SuspiciousIP.Severity.values)),
        (catalogue.TRIAGE, set(SuspiciousIP.Triage.values)),
        (catalogue.VERDICT, set(SuspiciousIP.Verdict.values) - {""}),
        (catalogue.GATE, set(conf.MODES)),
        (catalogue.REFUSAL, {BLOCK, THROTTLE}),
        (catalogue.ANSWER, set(CHOICES["store_away"])),
        (catalogue.DELIVERY, {*Outcome, "given_up", "not_queued"}),
        (catalogue.STORE, written(catalogue.STORE_MODE_CHANGES, "mode")),
        (catalogue.LOSS, written(catalogue.EVENTS_DROPPED, "reason")),
        (catalogue.DETECTOR, written(catalogue.ROWS_SCANNED, "detector")),
    ],
    ids=lambda value: value.key if isinstance(value, Tag) else "",
)
def test_a_closed_set_is_what_the_house_has(tag: Tag, values: set[str]) -> None:
    assert tag.values == {str(value) for value in values}


def test_the_states_of_a_task_are_celerys() -> None:
    """But for those of tasks that have not ended, and our words for how a task may end without its worker's."""
    known = {value.lower() for name, value in vars(states).items() if name.isupper() and isinstance(value, str)}

    assert catalogue.STATE.values is not None
    assert catalogue.STATE.values - known == {"unknown", "expired", "timeout", "lost"}
    assert not catalogue.STATE.values & {states.PENDING.lower(), states.RECEIVED.lower(), states.STARTED.lower()}


def test_the_states_of_a_check_are_the_protocols() -> None:
    assert (emit.OK, emit.WARNING, emit.CRITICAL, emit.UNKNOWN) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        (catalogue.RULE, [rule.name for rule in RULES]),
        (catalogue.ACTION, [*Action, "export", "erase"]),
        (catalogue.POLICY, SHIPPED),
    ],
    ids=lambda value: value.key if isinstance(value, Tag) else "",
)
def test_an_open_tag_has_room_for_all_that_the_house_names(tag: Tag, names: list[str]) -> None:
    assert len(names) <= tag.most // 2, "a project adds its own"
    assert [clean(name) for name in names] == list(names)


def test_every_route_of_the_project_is_told_apart() -> None:
    """Past so many a process would send `other`: those of the admin are most of them."""
    routes = set(names_of(get_resolver("sentinel.urls")))

    assert len(routes) < catalogue.ROUTE.most
    assert all(clean(name) == name for name in routes)


def names_of(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for part in resolver.url_patterns:
        if isinstance(part, URLResolver):
            yield from names_of(part, f"{namespace}{part.namespace}:" if part.namespace else namespace)
        elif isinstance(part, URLPattern) and part.name:
            yield f"{namespace}{part.name}"
