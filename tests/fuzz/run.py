"""One run of Schemathesis: every operation of the document or the schema, in the application itself, as one visitor."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from tests.fuzz.documents import DOCUMENTS
from tests.fuzz.network import only_loopback
from tests.fuzz.values import VALUES
from tests.fuzz.world import World

DOCUMENT = "/api/v1/schema/?format=json"
CONFIG = Path(__file__).parent / "schemathesis.toml"
HERE = "198.51.100.7"
ON_ITS_WAY = "stateful"  # the phase in which one answer names the next request


@dataclass(frozen=True)
class Found:
    operation: str
    check: str
    said: str
    curl: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.check}\n  {self.said.replace(chr(10), chr(10) + '  ')}\n  {self.curl}"


@dataclass
class Report:
    """How often each operation gave which status, the first failure of each kind, and what went wrong with the run."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    failures: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)
    # Operations that did at least once what they are for.
    reached: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        per_phase = ", ".join(f"{count} {name}" for name, count in self.phases.items())
        lines = [f"{name}: {dict(sorted(statuses.items()))}" for name, statuses in sorted(self.statuses.items())]
        return "\n".join([f"{self.calls} calls ({per_phase})", *lines])

    def told(self) -> str:
        return "\n\n".join(["", *map(str, self.failures.values())])

    @property
    def calls(self) -> int:
        return sum(statuses.total() for statuses in self.statuses.values())


def _config() -> schemathesis.Config:
    return schemathesis.Config.from_path(CONFIG)


# `Any`: a configuration's values.
def document(phases: tuple[str, ...] = (), **changed: Any) -> BaseSchema:
    """The application's own description, as it is served, and how it is to be tried."""
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, get_wsgi_application(), config=_config())
    if phases:
        schema.config.phases.update(phases=list(phases))
    schema.config.generation.update(**changed)
    return schema


def graphql_schema() -> BaseSchema:
    return schemathesis.graphql.from_wsgi("/graphql/", get_wsgi_application(), config=_config())


def operations(schema: BaseSchema, open_only: bool = False) -> set[str]:
    """Their names, such as "POST /api/v1/checkout/"; `open_only`: of those that ask for no token."""
    found = [each.ok() for each in schema.get_all_operations()]
    return {each.label for each in found if not open_only or {} in each.definition.raw.get("security", [{}])}


def is_success(operation: APIOperation, response: Response) -> bool:
    return 200 <= response.status_code < 300


def is_wrong(failure: Failure) -> bool:
    return True


def run(
    schema: BaseSchema,
    world: World,
    did: Callable[[APIOperation, Response], bool] = is_success,
    counts: Callable[[Failure], bool] = is_wrong,
) -> Report:
    """`did`: whether an answer is what the operation is for; `counts`: whether what a check found is a failure here."""
    if world.name:
        _sign_in(schema, world)
    report = Report()
    with only_loopback(), _values_of(world, did), _from_one_address():
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                report.phases[event.phase.value] += len(event.recorder.interactions)
                _note(event.recorder, report, did, counts)
            elif isinstance(event, events.NonFatalError):
                report.errors.append(f"{event.label}: {event.value!r}")
            elif isinstance(event, events.FatalError):
                raise event.exception
    return report


def _sign_in(schema: BaseSchema, world: World) -> None:
    class Token:
        # `Any`: Schemathesis' own signatures.
        def get(self, case: Any, context: Any) -> str:
            return world.token()

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    # Asked for each call: a changed password or a closed account ends tokens.
    schema.auth(refresh_interval=None)(Token)


@contextmanager
def _values_of(world: World, did: Callable[[APIOperation, Response], bool]) -> Iterator[None]:
    reached: set[str] = set()

    # `Any`, here and below: Schemathesis' own signature.
    def before_call(context: Any, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
        _fill(case, world, case.operation.label in reached)

    def after_call(context: Any, case: schemathesis.Case, response: Response) -> None:
        if did(case.operation, response):
            reached.add(case.operation.label)

    hooks = (before_call, after_call)
    for hook in hooks:
        schemathesis.hook(hook)
    try:
        yield
    finally:
        for hook in hooks:
            GLOBAL_HOOK_DISPATCHER.unregister(hook)


@contextmanager
def _from_one_address() -> Iterator[None]:
    """Tells the application whom it speaks to, and nothing of sockets, which Schemathesis 4.32.5 hands on when it asks
    again without credentials.
    """
    send = WSGI_TRANSPORT.send

    # `Any`: Schemathesis' own signature.
    def sent(case: schemathesis.Case, **options: Any) -> schemathesis.Response:
        if options.get("session") is None:
            options = {
                name: value for name, value in options.items() if name not in ("max_redirects", "verify", "cert")
            }
        return send(case, **options, environ_overrides={"REMOTE_ADDR": HERE})

    with mock.patch.object(WSGI_TRANSPORT, "send", sent):
        yield


def _fill(case: schemathesis.Case, world: World, is_reached: bool) -> None:
    values = (VALUES | DOCUMENTS).get(case.operation.label)
    if values is None or case.meta is None or case.meta.generation.mode.is_negative:
        return
    # By what was drawn, so that a failure is the same when it is tried again.
    if is_reached and zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode("utf-8", "replace")) % 2:
        return
    given = values(world)
    if case.meta.phase.name.value != ON_ITS_WAY:
        case.path_parameters.update(given.path)
    if given.query:
        case.query = dict(given.query)
    case.headers.update(given.headers)
    if given.body and isinstance(case.body, dict):
        body = {**case.body, **given.body}
        case.body = {name: value for name, value in body.items() if name not in given.body or value is not None}
    elif given.text:
        case.body = given.text


def _note(
    recorder: ScenarioRecorder,
    report: Report,
    did: Callable[[APIOperation, Response], bool],
    counts: Callable[[Failure], bool],
) -> None:
    for case_id, interaction in recorder.interactions.items():
        operation, response = recorder.cases[case_id].value.operation, interaction.response
        # Methods that the document does not have are tried too, and OPTIONS is answered 200.
        if response is not None and interaction.request.method == operation.method.upper():
            report.statuses.setdefault(operation.label, Counter())[response.status_code] += 1
            if did(operation, response):
                report.reached.add(operation.label)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None and counts(check.failure_info.failure):
                label, failure = recorder.cases[case_id].value.operation.label, check.failure_info.failure
                said = f"{failure.title}: {failure.message}"
                found = Found(label, check.name, said, check.failure_info.code_sample)
                report.failures.setdefault((label, check.name, failure.title), found)
