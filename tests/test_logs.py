"""The application's log: one line each, which request, and nothing that a caller sent."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from ip_tracking.client import Client as Caller
from ip_tracking.visit import Visit, current
from sentinel.logs import JsonFormatter, Lines, TextFormatter, WorthALine

TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0"

HOSTILE = [
    "/nowhere%0A%7B%22level%22:%22error%22%7D",
    "/nowhere%1B[2J%1B[31mred",
    f"/nowhere/{TOKEN}?token={TOKEN}",
    "/nowhere%E2%80%AEtxt.exe",
    "/broken/%0d%0aX:%20y",
]


def breaks(request: HttpRequest, rest: str) -> HttpResponse:
    try:
        raise KeyError(rest)
    except KeyError as error:
        raise ValueError(f"{rest} of {request.META['REMOTE_ADDR']} with {TOKEN}") from error


def unwell(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=503)


urlpatterns = [path("broken/<path:rest>", breaks, name="broken"), path("unwell", unwell, name="unwell")]


@pytest.fixture
def lines(settings: object) -> Iterator[StringIO]:
    """What the configured handler of a production server writes."""
    settings.ROOT_URLCONF = __name__
    stream = StringIO()
    root = logging.getLogger()
    before = root.handlers[:]
    handlers = django_settings.LOGGING["handlers"]
    to_stream = {**handlers["stderr"], "formatter": "json", "stream": stream}
    configured = {**django_settings.LOGGING, "handlers": {**handlers, "stderr": to_stream}}
    logging.config.dictConfig(configured)
    yield stream
    root.handlers[:] = before


def written(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def record(
    message: object, *arguments: object, name: str = "ip_tracking.x", level: int = logging.WARNING, **extra: object
):
    made = logging.LogRecord(name, level, "file.py", 1, message, arguments, extra.pop("exc_info", None))
    made.__dict__.update(extra)
    return made


def formatted(made: logging.LogRecord) -> dict[str, object]:
    return json.loads(JsonFormatter().format(made))


def failure(error: BaseException):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_line_says_when_how_bad_who_and_what() -> None:
    line = formatted(record("Events cannot be sent (%s)", "refused"))

    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "logger": "ip_tracking.x", "message": "Events cannot be sent (refused)"}


def test_a_line_within_a_request_names_it_and_its_route() -> None:
    token = current.set(
        Visit("request-1", Caller("203.0.113.9", "203.0.113.9", through_proxy=False), route="shop:login")
    )

    line = formatted(record("slow"))

    current.reset(token)
    assert (line["request_id"], line["route"]) == ("request-1", "shop:login")
    assert "203.0.113.9" not in json.dumps(line)


@pytest.mark.django_db
@pytest.mark.parametrize("target", HOSTILE)
def test_what_a_caller_sent_is_in_no_line(client: Client, lines: StringIO, target: str) -> None:
    client.raise_request_exception = False

    client.get(target, headers={"Authorization": f"Bearer {TOKEN}"})

    text = lines.getvalue()
    for sent in ("nowhere", "red", TOKEN, "127.0.0.1", "txt.exe", "X: y", "\\u202e", "\\u001b"):
        assert sent not in text


@pytest.mark.django_db
def test_an_answer_of_4xx_is_not_worth_a_line(client: Client, lines: StringIO) -> None:
    client.get("/nowhere")
    client.get("/broken/x", headers={"Host": "evil.example.com:port"})

    assert written(lines) == []


@pytest.mark.django_db
def test_a_failure_is_one_line_with_its_place_and_its_request(client: Client, lines: StringIO) -> None:
    client.raise_request_exception = False

    response = client.get("/broken/thing")

    [line] = written(lines)
    assert line["level"] == "error"
    assert line["message"] == "Answered 500"
    assert line["route"] == "broken"
    assert line["request_id"] == response["X-Request-ID"]
    assert line["exception"]["type"] == "ValueError"
    assert "in breaks" in line["exception"]["traceback"]
    assert "KeyError" in line["exception"]["traceback"]


@pytest.mark.django_db
def test_an_async_failure_is_one_line_too(async_client: AsyncClient, lines: StringIO) -> None:
    async_client.raise_request_exception = False

    async_to_sync(async_client.get)("/broken/thing")

    assert [line["message"] for line in written(lines)] == ["Answered 500"]


@pytest.mark.django_db
def test_a_view_that_answers_503_is_one_line(client: Client, lines: StringIO) -> None:
    client.get("/unwell")

    assert [(line["message"], line["route"]) for line in written(lines)] == [("Answered 503", "unwell")]


def test_an_exception_shows_where_it_came_from_but_not_what_it_quoted() -> None:
    info = failure(RuntimeError(f"Key (email)=(ada@example.com) already exists, {TOKEN}"))

    line = formatted(record("The background duty %r failed.", "send", exc_info=info))

    assert line["exception"]["type"] == "RuntimeError"
    assert "in failure" in line["exception"]["traceback"]
    assert "ada@example.com" not in json.dumps(line)


def test_an_exception_that_is_its_own_cause_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert formatted(record("x", exc_info=failure(first)))["exception"]["type"] == "ValueError"


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("Error handling request %s %s", ("GET", "/secret?token=x"), "Error handling request ... ..."),
        ("Worker (pid:%s) was sent SIGKILL", (17,), "Worker (pid:17) was sent SIGKILL"),
        ("Broken %d", ("x",), "Broken %d"),
        (ValueError("secret"), (), "ValueError"),
    ],
)
def test_the_server_quotes_no_request(message: object, arguments: tuple[object, ...], said: str) -> None:
    line = formatted(record(message, *arguments, name="gunicorn.error", level=logging.ERROR))

    assert line["message"] == said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gunicorn.error", "Invalid request from ip=203.0.113.9: Invalid HTTP request line: '\x16\x03'"),
        ("uvicorn.error", "Invalid HTTP request received."),
        ("uvicorn.error", "Unsupported upgrade request."),
        ("uvicorn.error", "No supported WebSocket library detected. Please use"),
    ],
)
def test_a_request_that_is_not_http_is_not_worth_a_line(name: str, message: str) -> None:
    assert WorthALine().filter(record(message, name=name)) is False
    assert WorthALine().filter(record(message, name="shop")) is True


@pytest.mark.parametrize("name", ["some.package", "asyncio", "kombu.connection", "django.db"])
def test_a_library_quotes_nothing_in_its_warnings(name: str) -> None:
    line = formatted(
        record("Retrying %r of %s after %.1f s (%s)", "/secret", "203.0.113.9", 2.5, KeyError("x"), name=name)
    )

    assert line["message"] == "Retrying ... of ... after 2.5 s (KeyError)"


def test_uvicorn_quotes_nothing_even_when_all_is_well() -> None:
    line = formatted(record('%s - "WebSocket %s" 403', "203.0.113.9", "/x", name="uvicorn.error", level=logging.INFO))

    assert line["message"] == '... - "WebSocket ..." 403'


def test_a_worker_names_its_task_and_quotes_nothing_of_it() -> None:
    known = "ip_tracking.tasks.store_events"

    line = formatted(
        record("Hard time limit (%ss) exceeded for %s[%s]", 5, known, "an-id", name="celery.worker.request")
    )

    assert line["message"] == f"Hard time limit (5s) exceeded for {known}[...]"


def test_a_line_that_cannot_be_made_is_its_text_without_what_was_given() -> None:
    assert formatted(record("%d of %s", "secret"))["message"] == "%d of %s"
    assert TextFormatter().format(record("%d of %s", "secret")).endswith("%d of %s")


def test_a_line_that_cannot_be_written_is_told_without_what_was_given() -> None:
    class Broken(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise TypeError(record.args)

    stream = StringIO()
    handler = Lines(stream)
    handler.setFormatter(Broken())

    handler.handle(record("of %s", "secret", name="shop"))

    assert stream.getvalue() == "A line of shop was lost (TypeError)\n"


def test_a_task_that_failed_is_named_without_what_it_was_given() -> None:
    data = {"name": "ip_tracking.tasks.store_events", "description": "raised unexpected", "args": "['/secret']"}
    made = record("Task %(name)s %(args)s: %(exc)s", {**data, "exc": "secret"}, name="celery.app.trace", data=data)

    assert formatted(made)["message"] == "Task ip_tracking.tasks.store_events raised unexpected"


def test_a_message_no_worker_knows_is_not_shown() -> None:
    made = record(
        "Received unregistered task of type %s.\nThe full contents of the message body was:\n%s",
        "'x'",
        "[['203.0.113.9', '/secret']]",
        name="celery.worker.consumer.consumer",
        level=logging.ERROR,
    )

    assert formatted(made)["message"] == "Received unregistered task of type ...."


@pytest.mark.parametrize("sent", ["\x1b[2J", "\x9b31m", "\r", "\n", "\u2028", "\u202e", "\x7f", "\x07", "\ud800"])
def test_text_for_a_terminal_shows_control_characters_instead_of_obeying_them(sent: str) -> None:
    text = TextFormatter().format(record("before%safter", sent))

    assert sent not in text
    assert "before\\" in text
    assert len(text.splitlines()) == 1


def test_whatever_json_cannot_hold_still_is_a_line() -> None:
    assert formatted(record("lone surrogate \ud800 and %s", object()))["level"] == "warning"
