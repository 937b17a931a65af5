"""django-ratelimit's decorator refuses like the gate: the same answer, and a Retry-After that is true."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import django_ratelimit.core
import pytest
from django.conf import settings as project
from django.core.cache import caches
from django.core.checks import run_checks
from django.test import Client

from ip_tracking.gate import store
from tests.urls_ratelimit import unawaited

NOON_S = 1_800_000_000


@pytest.fixture(autouse=True)
def _door(settings, tracking):
    settings.ROOT_URLCONF = "tests.urls_ratelimit"
    tracking(KINDS={}, OUTCOMES={})
    caches["default"].clear()


@pytest.fixture
def at(monkeypatch) -> Callable[[float], None]:
    """Sets django-ratelimit's clock, which is its own: `at(3.5)` seconds after noon."""

    def set_clock(after_s: float) -> None:
        monkeypatch.setattr(django_ratelimit.core, "time", SimpleNamespace(time=lambda: NOON_S + after_s))

    set_clock(0)
    return set_clock


@pytest.mark.parametrize(
    ("page", "policy"),
    [("/plain/", "shop-plain-page"), ("/dispatch/", "dispatch"), ("/method/", "method"), ("/two/", "two")],
)
def test_a_refusal_is_the_gates_429(http, at, page, policy):
    passed = [http.get(page).status_code for _ in range(2)]

    refused = http.get(page)

    wait_s = int(refused["Retry-After"])
    assert passed == [200, 200]
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Cache-Control"] == "no-store"
    assert refused["RateLimit-Policy"] == f'"{policy}";q=2;w=60'
    assert refused["RateLimit"] == f'"{policy}";r=0;t={wait_s}'
    assert json.loads(refused.content) == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Quota exceeded",
        "status": 429,
        "detail": f"Too many requests under the policy {policy}. Retry in {wait_s} seconds.",
        "instance": f"urn:sentinel:request:{refused['X-Request-ID']}",
        "violated-policies": [policy],
    }


@pytest.mark.parametrize("page", ["/plain/", "/tuple/", "/ten-minutes/", "/second/", "/by-function/", "/by-path/"])
@pytest.mark.parametrize("after_s", [0, 0.9, 17, 41.999])
def test_retry_after_is_true_to_the_second(http, at, page, after_s):
    """Refused a second earlier, admitted then."""
    at(after_s)
    for _ in range(2):
        http.get(page)
    wait_s = int(http.get(page)["Retry-After"])

    at(after_s + wait_s - 1)
    early = http.get(page).status_code
    at(after_s + wait_s)
    in_time = http.get(page).status_code

    assert (early, in_time) == (429, 200)


@pytest.mark.parametrize(("page", "window"), [("/tuple/", 600), ("/ten-minutes/", 600), ("/spelled-out/", 60)])
def test_the_window_is_told_however_the_rate_is_written(http, at, page, window):
    answer = [http.get(page) for _ in range(3)][-1]

    assert answer["RateLimit-Policy"] == f'"{page.strip("/")}";q=2;w={window}'


@pytest.mark.parametrize("page", ["/header/", "/query/?coupon=HALF", "/by-function/", "/by-path/"])
def test_what_is_left_of_somebody_elses_is_not_told(http, at, page):
    answer = [http.get(page, headers={"X-Coupon": "HALF"}) for _ in range(3)][-1]

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 61
    assert "RateLimit" not in answer
    assert "RateLimit-Policy" not in answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["/user/", "/user-or-ip/"])
def test_a_callers_own_limit_is_told(django_user_model, at, page):
    client = Client()
    client.force_login(django_user_model.objects.create_user("dana", "dana@example.com", "a password"))

    answer = [client.get(page) for _ in range(3)][-1]

    assert answer.status_code == 429
    assert answer["RateLimit"].endswith(f";r=0;t={answer['Retry-After']}")


def test_a_rate_of_none_at_all_refuses_and_breaks_nothing(http, at):
    assert http.get("/never/").status_code == 429


def test_a_refusal_gives_the_gates_own_places_back(http, at):
    for _ in range(5):
        http.get("/plain/")

    assert store.get().client.get("sentinel:{n:127.0.0.1}:site")[:4] == b"\x00\x00\x00\x02"


def test_what_the_decorator_only_notes_is_left_to_the_view(http, at):
    assert [http.get("/not-blocked/").status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("page", ["/by-hand/", "/by-hand/?ours"])
def test_its_exception_raised_by_hand_is_a_429_too(http, page):
    answer = http.get(page)

    assert answer.status_code == 429
    assert json.loads(answer.content)["violated-policies"] == ["by-hand"]
    assert answer["Retry-After"] == "60"  # when to come back is not known
    assert "RateLimit" not in answer


def test_a_view_that_raises_inside_the_decorator_is_not_taken_for_it(http, at):
    """The decorator's nine a minute are not what refused."""
    answer = [http.get("/by-hand-inside/") for _ in range(3)][-1]

    assert answer.status_code == 429
    assert "RateLimit" not in answer


def test_a_window_that_ends_while_it_refuses_is_a_short_wait(http, at, monkeypatch):
    """The decorator saw the last second of a window, and the door asks in the next one."""
    for _ in range(2):
        http.get("/plain/")
    wait_s = int(http.get("/plain/")["Retry-After"])
    # The first two looks at the clock are the decorator's, the others the door's.
    clock = iter([NOON_S + wait_s - 1] * 2)
    monkeypatch.setattr(django_ratelimit.core, "time", SimpleNamespace(time=lambda: next(clock, NOON_S + wait_s)))

    answer = http.get("/plain/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


# Whom it counts


def test_one_client_under_two_spellings_is_one_and_two_are_two(http, at, tracking):
    """By itself django-ratelimit puts every IPv4-mapped address into one /64."""
    tracking(TRUSTED_PROXIES=["127.0.0.1/32"])

    def ask(address: str) -> int:
        return http.get("/plain/", headers={"X-Forwarded-For": address}).status_code

    one = [ask("::ffff:203.0.113.7"), ask("203.0.113.7"), ask("::ffff:203.0.113.7")]

    assert one == [200, 200, 429]
    assert ask("::ffff:203.0.113.8") == 200


def test_a_forged_header_makes_nobody_another(http, at):
    statuses = [http.get("/plain/", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(3)]

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize("peer", ["", "unix:", "nonsense", "203.0.113.7:80"])
def test_a_peer_without_an_address_breaks_nothing(at, peer):
    """By itself django-ratelimit answers it with a 500."""
    client = Client(raise_request_exception=False)

    statuses = [client.get("/plain/", REMOTE_ADDR=peer).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


# Its cache is away


@pytest.mark.parametrize(("fail_open", "status"), [(True, 200), (False, 503)])
def test_a_cache_that_is_away_is_answered_as_the_settings_say(http, settings, fail_open, status):
    settings.CACHES = {"default": {"BACKEND": "tests.urls_ratelimit.DeadCache"}}
    settings.RATELIMIT_FAIL_OPEN = fail_open

    answers = [http.get("/plain/") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [status] * 4
    assert fail_open or int(answers[0]["Retry-After"]) >= 1


# What is its own


def test_an_async_view_fails_as_it_does_without_the_door(settings):
    """django-ratelimit hands back a coroutine; use @limited there."""
    client = Client(raise_request_exception=False)
    with_door = client.get("/async/").status_code
    settings.MIDDLEWARE = []

    without = client.get("/async/").status_code

    for coroutine in unawaited:
        coroutine.close()
    assert with_door == without == 500


def test_the_projects_own_settings_point_here_and_its_checks_are_content():
    assert project.RATELIMIT_IP_META_KEY == "ip_tracking.ratelimit.client_address"
    assert project.RATELIMIT_EXCEPTION_CLASS == "ip_tracking.ratelimit.Limited"
    assert project.RATELIMIT_FAIL_OPEN is True
    silenced = project.SILENCED_SYSTEM_CHECKS
    assert not [message for message in run_checks(tags=["caches"]) if message.id not in silenced]
