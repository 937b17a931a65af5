"""One request through the door, by Django's sync and async clients: the same steps, the same answers."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
import pytest
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.test import Client

from ip_tracking.gate import decisions, store
from ip_tracking.record import buffer
from tests.e2e.processes import wait_until
from tests.urls_door import slow_async_began

KINDS = {"pay": "payment", "login": "login", "login-async": "login", "healthz": "health"}

SITE = {"rates": ["3/m"], "key": "caller", "why": "for a test"}


def known_caller(request: HttpRequest) -> str | None:
    """Stands for a project's own: the id in a header."""
    return request.META.get("HTTP_X_TEST_USER")


@pytest.fixture(autouse=True)
def _door(settings, tracking):
    settings.ROOT_URLCONF = "tests.urls_door"
    tracking(KINDS=KINDS, KNOWN_CALLER="tests.test_door.known_caller", OUTCOMES={})


def parsed(response: Any, field: str) -> list[tuple[Any, dict[str, Any]]]:
    """The field as an independent structured-field library reads it."""
    return http_sf.parse(response[field].encode(), tltype="list")


@pytest.mark.parametrize("page", ["/plain/", "/plain-async/"])
def test_a_request_passes_and_is_told_its_limits(http, page):
    response = http.get(page)

    assert response.status_code == 200
    assert parsed(response, "RateLimit-Policy") == [("site", {"q": 1200, "w": 64})]
    assert parsed(response, "RateLimit") == [("site", {"r": 1199, "t": 60})]


def test_over_the_limit_is_a_429_that_says_all_a_consumer_needs(http, tracking):
    tracking(POLICIES={"site": SITE})
    for _ in range(3):
        http.get("/plain/")

    response = http.get("/plain/")

    wait_s = int(response["Retry-After"])
    problem = json.loads(response.content)
    assert response.status_code == 429
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Length"] == str(len(response.content))
    assert 58 <= wait_s <= 60
    assert parsed(response, "RateLimit-Policy") == [("site", {"q": 3, "w": 60})]
    assert parsed(response, "RateLimit") == [("site", {"r": 0, "t": wait_s})]
    assert problem == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Quota exceeded",
        "status": 429,
        "detail": f"Too many requests under the policy site. Retry in {wait_s} seconds.",
        "instance": f"urn:sentinel:request:{response['X-Request-ID']}",
        "violated-policies": ["site"],
    }


def test_a_browser_reads_a_page(http, tracking):
    tracking(POLICIES={"site": SITE | {"rates": ["1/m"]}})
    http.get("/plain/")

    response = http.get("/plain/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == 429
    assert response["Content-Type"].startswith("text/html")
    assert response["Retry-After"]
    assert b"<h1>Quota exceeded</h1>" in response.content


@pytest.mark.django_db(transaction=True)
def test_a_blocked_network_gets_a_bare_403(http):
    _decide("block")

    response = http.get("/plain/")

    assert response.status_code == 403
    assert json.loads(response.content)["title"] == "Forbidden"
    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(response.headers)
    assert response["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_throttled_network_gets_a_429_that_says_why(http):
    _decide("throttle")

    response = http.get("/plain/")

    assert response.status_code == 429
    assert json.loads(response.content)["type"].endswith("#abnormal-usage-detected")
    assert int(response["Retry-After"]) > 3_500


@pytest.mark.django_db(transaction=True)
def test_a_wide_block_refuses_without_asking_the_store(http, scripts_run):
    _decide("block", "127.0.0.0/24")
    decisions.refresh()
    calls_before = scripts_run()

    response = http.get("/plain/")

    assert response.status_code == 403
    assert scripts_run() == calls_before


@pytest.mark.django_db(transaction=True)
def test_an_allowed_network_has_no_limits(http, tracking):
    tracking(POLICIES={"site": SITE | {"rates": ["1/m"]}})
    _decide("allow")
    decisions.refresh()

    statuses = [http.get("/plain/").status_code for _ in range(3)]

    assert statuses == [200, 200, 200]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_costs_no_query_and_no_session(http, django_assert_num_queries):
    _decide("block")

    with django_assert_num_queries(0):
        response = http.get("/plain/")

    assert response.status_code == 403
    assert not response.cookies


def test_health_is_never_refused(http, tracking):
    tracking(POLICIES={"site": SITE | {"rates": ["1/m"]}})

    statuses = [http.get("/healthz").status_code for _ in range(3)]

    assert statuses == [200, 200, 200]


def test_browsing_costs_one_call_and_a_known_callers_own_limit_a_second(http, scripts_run):
    before = scripts_run()
    http.get("/plain/")
    stranger = scripts_run() - before

    http.get("/plain/", headers={"X-Test-User": "42"})

    assert (stranger, scripts_run() - before - stranger) == (1, 2)


def test_a_known_caller_keeps_a_limit_of_their_own(http, tracking):
    tracking(POLICIES={"site": SITE | {"rates": ["1/m"]}})
    http.get("/plain/")

    strangers = http.get("/plain/").status_code
    buyers = http.get("/plain/", headers={"X-Test-User": "42"}).status_code

    assert (strangers, buyers) == (429, 200)


def test_where_a_shared_cache_may_keep_the_answer_only_the_policy_is_told(http):
    response = http.get("/cached/")

    assert "RateLimit-Policy" in response
    assert "RateLimit" not in response


def test_only_failures_cost_where_only_failures_count(http):
    """Six good payments, then five declined ones; the sixth declined is refused."""
    good = [http.get("/pay/?status=201").status_code for _ in range(6)]

    declined = [http.get("/pay/?status=402").status_code for _ in range(6)]

    assert good == [201] * 6
    assert declined == [402] * 5 + [429]


def test_what_was_given_back_is_told_as_left(http):
    fields = dict(parsed(http.get("/pay/?status=201"), "RateLimit"))

    assert fields["payment-declines"]["r"] == 5
    assert fields["payment"]["r"] == 19


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/login/", "/login-async/"])
def test_the_eleventh_failed_login_of_a_network_within_a_minute_is_a_429_with_all_fields(http, page):
    failed = [http.post(page, {"username": f"user{n}", "password": "wrong"}).status_code for n in range(10)]

    response = http.post(page, {"username": "user11", "password": "wrong"})

    assert failed == [401] * 10
    assert response.status_code == 429
    assert json.loads(response.content)["violated-policies"] == ["login"]
    assert 1 <= int(response["Retry-After"]) <= 60
    assert dict(parsed(response, "RateLimit"))["login"] == {"r": 0, "t": int(response["Retry-After"])}
    assert dict(parsed(response, "RateLimit-Policy"))["login"] == {"q": 10, "w": 60}
    assert "login-account" not in response["RateLimit-Policy"]  # anybody may name an account: its state is not told


@pytest.mark.django_db(transaction=True)
def test_right_passwords_cost_nothing(http):
    get_user_model().objects.create_user("dana", "dana@example.com", "a long enough password")

    statuses = [
        http.post("/login/", {"username": "dana", "password": "a long enough password"}).status_code for _ in range(15)
    ]

    assert statuses == [200] * 15


@pytest.mark.django_db(transaction=True)
def test_many_logins_in_one_request_pass_one_by_one(http):
    response = http.post("/login/", {"username": "dana", "password": "wrong", "times": "50"})

    assert response.status_code == 429
    assert store.get().client.exists("sentinel:{n:127.0.0.1}:login")
    assert http.post("/login/", {"username": "dana", "password": "wrong"}).status_code == 429


def test_the_request_is_remembered_with_what_came_of_it(http):
    response = http.get("/pay/?status=402&card=4242424242424242&page=2", headers={"User-Agent": "curl/8"})

    (event,) = buffer.take()

    assert event.request_id == response["X-Request-ID"]
    assert (event.method, event.path, event.status) == ("GET", "/pay/", 402)
    assert (event.route, event.kind, event.outcome) == ("pay", "payment", "payment_failed")
    assert event.query == "status=402&card=4242424242424242&page=2"  # of this process alone: see test_redaction.py
    assert (event.address, event.network, event.user_agent) == ("127.0.0.1", "127.0.0.1", "curl/8")
    assert abs(event.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_entries_that_nobody_vouched_for_are_remembered_as_a_number(http):
    http.get("/plain/", headers={"X-Forwarded-For": "198.51.100.1, 198.51.100.2"})

    (event,) = buffer.take()
    assert event.beyond == 2


@pytest.mark.django_db(transaction=True)
def test_a_failed_login_is_remembered_with_a_hash_of_the_account(http):
    http.post("/login/", {"username": "Dana ", "password": "wrong"})
    http.post("/login/", {"username": "dana", "password": "wrong"})

    first, second = buffer.take()

    assert first.outcome == "login_failed"
    assert first.account == second.account != ""
    assert "ana" not in first.account


def test_a_refused_request_is_remembered_as_refused(http, tracking):
    tracking(POLICIES={"site": SITE | {"rates": ["1/m"]}})
    http.get("/plain/")
    http.get("/plain/")

    passed, refused = buffer.take()

    assert (passed.refused, passed.status) == ("", 200)
    assert (refused.refused, refused.status, refused.outcome) == ("site", 429, "")


def test_a_view_that_fails_is_remembered_too(http):
    assert http.get("/broken/").status_code == 500

    (event,) = buffer.take()

    assert event.status == 500


@pytest.mark.parametrize("within", [[], ["whitenoise.middleware.WhiteNoiseMiddleware"]], ids=["async", "in a thread"])
def test_a_request_whose_client_leaves_is_remembered_and_keeps_its_place(settings, tracking, within):
    """Under ASGI the view ends with the connection; a guess must not be free for who does not wait for the answer.

    A middleware within that can only be sync makes Django run the door in a thread.
    """
    settings.MIDDLEWARE = ["ip_tracking.middleware.SentinelMiddleware", *within]
    tracking(POLICIES={"site": SITE})

    asyncio.run(_leave("/slow-async/"))

    (event,) = wait_until(buffer.take, "the door's end in its thread", 10)
    assert (event.path, event.status, event.refused) == ("/slow-async/", 499, "")
    assert parsed(Client().get("/plain/"), "RateLimit")[0][1]["r"] == 1


async def _leave(path: str) -> None:
    """As an ASGI server tells it: a request, and while the view runs, that the connection is gone."""
    slow_async_began.clear()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "client": ["127.0.0.1", 1],
    }
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    request = asyncio.create_task(get_asgi_application()(scope, told.get, _nobody_listens))
    await told.put({"type": "http.request"})
    await asyncio.to_thread(slow_async_began.wait, 10)
    await told.put({"type": "http.disconnect"})
    await request
    await store.get()._async_client().aclose()  # it ends with this event loop


async def _nobody_listens(message: dict[str, Any]) -> None:
    raise AssertionError(f"answered with {message}")


def test_a_path_without_a_route_is_remembered_without_one(http):
    assert http.get("/nowhere/").status_code == 404

    (event,) = buffer.take()

    assert (event.route, event.path) == ("", "/nowhere/")


def test_a_stranger_cannot_choose_a_request_id(http):
    response = http.get("/plain/", headers={"X-Request-ID": "chosen-by-a-stranger"})

    assert response["X-Request-ID"] != "chosen-by-a-stranger"


def test_a_store_that_is_away_lets_browsing_pass_and_counts_payments_here(http, tracking):
    row = {"rates": ["2/m"], "kinds": ["payment"], "store_away": "degraded", "why": "for a test"}
    # A name for each handler: the process' own memory lasts longer than a test.
    tracking(STORE_URL="unix:///nowhere.sock", POLICIES={"payment": None, f"pay-{http.kind}": row})

    browsing = [http.get("/plain/").status_code for _ in range(5)]
    paying = [http.get("/pay/").status_code for _ in range(3)]

    assert browsing == [200] * 5
    assert paying == [201, 201, 429]


def test_right_passwords_cost_nothing_while_the_store_is_away_either(http, tracking):
    row = {"rates": ["2/m"], "kinds": ["payment"], "counts": "failures", "store_away": "degraded", "why": "for a test"}
    tracking(STORE_URL="unix:///nowhere.sock", POLICIES={"payment": None, f"good-{http.kind}": row})

    good = [http.get("/pay/?status=201").status_code for _ in range(5)]
    declined = [http.get("/pay/?status=402").status_code for _ in range(3)]

    assert good == [201] * 5
    assert declined == [402, 402, 429]


def test_a_known_caller_function_that_fails_makes_strangers_and_no_errors(http, tracking, caplog):
    tracking(KNOWN_CALLER="tests.test_door.fails_to_know")

    response = http.get("/plain/", headers={"X-Test-User": "42"})

    assert response.status_code == 200
    assert "KNOWN_CALLER failed" in caplog.text


def fails_to_know(request: HttpRequest) -> str | None:
    raise RuntimeError("a bug in a project's function")


def test_a_closed_policy_answers_503_with_all_the_fields_while_the_store_is_away(http, tracking):
    tracking(
        STORE_URL="unix:///nowhere.sock",
        POLICIES={"payment": {"rates": ["2/m"], "kinds": ["payment"], "store_away": "closed", "why": "for a test"}},
    )

    response = http.get("/pay/")

    problem = json.loads(response.content)
    assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
    assert problem["type"].endswith("#temporary-reduced-capacity")
    assert (problem["status"], problem["violated-policies"]) == (503, ["payment"])
    assert problem["title"]
    assert problem["detail"].endswith(f"Retry in {response['Retry-After']} seconds.")
    assert problem["instance"].endswith(response["X-Request-ID"])
    assert response["Cache-Control"] == "no-store"
    assert http.get("/plain/").status_code == 200


def _decide(kind: str, network: str = "127.0.0.1") -> None:
    now = datetime.now(UTC)
    decisions.decide(
        kind, network, until=now + timedelta(hours=1), reason="a test", actor="dana", by_person=True, now=now
    )
