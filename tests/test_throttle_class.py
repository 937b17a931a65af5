"""GateThrottle: callers whom only REST framework can know are counted by themselves, and nobody twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import Client

from ip_tracking.gate import store

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["/named/", "/named-hidden/", "/marked/", "/marked-before/", "/marked-after/"]


def known_caller(request: HttpRequest) -> str | None:
    """Whom the door knows by itself."""
    return request.META.get("HTTP_X_TEST_USER")


@pytest.fixture(autouse=True)
def _door(settings, policies):
    settings.ROOT_URLCONF = "tests.urls_throttle"
    policies(site={"rates": ["9/m"], "routes": ["*"]}, exports={})


@pytest.fixture
def policies(tracking):
    def put(**rows: dict[str, Any]) -> None:
        given = {name: {"rates": ["2/m"], "key": "caller", "why": "for a test"} | row for name, row in rows.items()}
        tracking(KINDS={}, OUTCOMES={}, POLICIES=given, KNOWN_CALLER="tests.test_throttle_class.known_caller")

    return put


def counters() -> dict[str, int]:
    """How many each counter holds, as `{tag}:policy`."""
    client = store.get().client
    return {
        key.decode().partition(":")[2]: int.from_bytes(client.get(key)[:4], "big") for key in client.keys("sentinel:{*")
    }


def key(number: int) -> dict[str, dict[str, str]]:
    return {"headers": {"X-API-Key": str(number)}}


def test_a_caller_found_by_rest_framework_is_counted_by_name_and_not_by_network(http):
    for _ in range(3):
        http.get("/throttled/", **key(7))

    assert counters() == {"{u:7}:site": 3}


def test_two_callers_of_one_network_have_a_limit_each(http):
    seven = [http.get("/named/", **key(7)).status_code for _ in range(3)]
    eight = http.get("/named/", **key(8)).status_code

    assert (seven, eight) == ([200, 200, 429], 200)


@pytest.mark.django_db(transaction=True)
def test_a_caller_by_session_is_counted_by_name():
    user = get_user_model().objects.create_user("dana", "dana@example.com", "a password")
    client = Client()
    client.force_login(user)

    client.get("/throttled/")

    assert counters() == {f"{{u:{user.pk}}}:site": 1}


def test_strangers_are_counted_by_network_as_without_it(http, scripts_run):
    before = scripts_run()

    http.get("/throttled/")

    assert counters() == {"{n:127.0.0.1}:site": 1}
    assert scripts_run() - before == 1


@pytest.mark.parametrize("page", PAGES)
def test_whom_the_door_knew_is_not_counted_twice(http, scripts_run, page):
    before = scripts_run()

    http.get(page, headers={"X-Test-User": "7", "X-API-Key": "7"})

    assert scripts_run() - before == (2 if page in ("/named/", "/marked/") else 3)
    assert counters() == {"{u:7}:site": 1, "{u:7}:exports": 1}


@pytest.mark.parametrize("page", PAGES)
def test_a_views_own_policy_counts_by_the_caller_wherever_it_is_named(http, page):
    answers = [http.get(page, **key(7)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert counters() == {"{u:7}:site": 2, "{u:7}:exports": 2}


def test_a_policy_by_user_counts_whom_only_rest_framework_knows(http, policies):
    policies(site={"rates": ["9/m"], "routes": ["*"]}, exports={"key": "user"})

    known = [http.get("/named/", **key(7)).status_code for _ in range(3)]
    strangers = [http.get("/named/").status_code for _ in range(3)]

    assert (known, strangers) == ([200, 200, 429], [200] * 3)


def test_a_class_may_name_its_policies_without_the_throttle_too(http):
    assert [http.get("/unthrottled/").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("page", PAGES)
def test_a_refusal_is_the_gates_and_leaves_every_policy_as_it_was(http, page):
    for _ in range(2):
        http.get(page, **key(7))
    before = counters()

    refused = http.get(page, **key(7))

    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert 58 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].endswith(f'"exports";r=0;t={refused["Retry-After"]}')
    assert json.loads(refused.content)["violated-policies"] == ["exports"]
    assert counters() == before


def test_what_is_left_is_the_callers_own(http):
    http.get("/throttled/")

    assert http.get("/throttled/", **key(7))["RateLimit"] == '"site";r=8;t=60'


def test_only_failures_cost_where_only_failures_count(http, policies, tracking):
    policies(site={"rates": ["2/m"], "routes": ["*"], "counts": "failures"})
    tracking(KINDS={"throttled": "payment"})

    good = [http.get("/throttled/", **key(7)).status_code for _ in range(4)]
    bad = [http.get("/throttled/?status=402", **key(7)).status_code for _ in range(3)]

    assert (good, bad) == ([200] * 4, [402, 402, 429])
    assert counters()["{u:7}:site"] == 2


def test_a_network_at_its_limit_is_refused_before_anybody_is_known(http, policies):
    """The price of not asking a database at the door, which docs/limits-on-views.md names."""
    policies(site={"rates": ["1/m"], "routes": ["*"]})
    http.get("/throttled/")

    assert http.get("/throttled/", **key(7)).status_code == 429


AS_DEFAULT = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "ip_tracking", "metrics"],
    REST_FRAMEWORK={"DEFAULT_THROTTLE_CLASSES": ["ip_tracking.throttling.GateThrottle"]},
)
django.setup()
from rest_framework.views import APIView
print([throttle.__name__ for throttle in APIView.throttle_classes])
"""


def test_it_may_be_the_default_of_every_view():
    """REST framework then imports it while its own views are only half there, so in a process that has neither yet."""
    done = subprocess.run([sys.executable, "-c", AS_DEFAULT], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "['GateThrottle']", done.stderr
