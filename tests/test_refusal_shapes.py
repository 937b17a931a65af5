"""One refusal, in the shape that its caller reads: a GraphQL error, a page, a problem document."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from ip_tracking.gate import decisions, responses
from ip_tracking.refused import Refused
from metrics import catalogue, emit
from metrics import client as sending
from tests.dogstatsd import udp_receiver
from tests.metrics.conftest import send_to

GRAPHQL_RESPONSE = "application/graphql-response+json"
ONE = {"rates": ["1/m"], "routes": ["*"], "why": "for a test"}


def answers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("{}")


def signs_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=200 if authenticate(request, username="dana", password="wrong") else 401)


def signs_in_by_aliases(request: HttpRequest) -> JsonResponse:
    errors = []
    for number in range(4):
        try:
            authenticate(request, username=f"dana-{number}", password="wrong")
        except Refused as refusal:
            errors.append({"message": str(refusal), "extensions": refusal.extensions})
    return JsonResponse({"errors": errors})


urlpatterns = [
    path("graphql-logins/", signs_in_by_aliases, name="graphql-logins"),
    path("graphql/", answers, name="graphql"),
    path("graphql-login/", signs_in, name="graphql-login"),
    path("rest/", answers, name="rest"),
]


@pytest.fixture
def agent(monkeypatch):
    with udp_receiver() as receiver:
        send_to(monkeypatch, receiver.environ)
        yield receiver
        sending.close()


@pytest.fixture(autouse=True)
def _only_one_request_a_minute(settings, tracking):
    settings.ROOT_URLCONF = "tests.test_refusal_shapes"
    tracking(KINDS={"graphql": "graphql", "graphql-login": "graphql"}, POLICIES={"site": ONE, "graphql": None})


def refused(client, page: str, **headers: str) -> HttpResponse:
    client.get(page)
    return client.get(page, headers=headers)


def test_a_refused_graphql_route_answers_with_errors_and_no_data(client):
    response = refused(client, "/graphql/")

    wait_s = int(response["Retry-After"])
    detail = f"Too many requests under the policy site. Retry in {wait_s} seconds."
    assert response.status_code == 429
    assert response["Content-Type"] == "application/json"
    assert response["RateLimit"] == f'"site";r=0;t={wait_s}'
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Length"] == str(len(response.content))
    assert json.loads(response.content) == {
        "errors": [
            {
                "message": detail,
                "extensions": {
                    "code": "RATE_LIMITED",
                    "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
                    "title": "Quota exceeded",
                    "status": 429,
                    "detail": detail,
                    "instance": f"urn:sentinel:request:{response['X-Request-ID']}",
                    "violated-policies": ["site"],
                    "retry-after": wait_s,
                },
            }
        ]
    }


@pytest.mark.parametrize("page", ["/graphql/", "/rest/", "/nowhere/"])
def test_who_accepts_the_graphql_media_type_gets_it_wherever_they_ask(client, page):
    response = refused(client, page, Accept=f"{GRAPHQL_RESPONSE}, application/json;q=0.9")

    assert response["Content-Type"] == GRAPHQL_RESPONSE
    assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_another_route_answers_with_a_problem_document(client, accept):
    response = refused(client, "/rest/", Accept=accept)

    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 429


@pytest.mark.django_db
def test_a_login_refused_inside_a_graphql_route_has_the_same_shape(client, tracking):
    tracking(POLICIES={"login": {"rates": ["1/m"], "why": "for a test"}})

    response = refused(client, "/graphql-login/")

    assert response.status_code == 429
    assert response.json()["errors"][0]["extensions"]["violated-policies"] == ["login"]


@pytest.mark.django_db(transaction=True)
def test_a_blocked_network_learns_no_limit_in_graphql_either(client):
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    decisions.decide("block", "127.0.0.1", until=until, reason="a test", actor="dana", by_person=True, now=now)

    response = client.get("/graphql/")

    extensions = response.json()["errors"][0]["extensions"]
    assert response.status_code == extensions["status"] == 403
    assert extensions["code"] == "FORBIDDEN"
    assert not {"retry-after", "violated-policies"} & set(extensions)
    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(response.headers)


def test_a_closed_policy_says_service_unavailable_in_graphql(client, tracking):
    tracking(STORE_URL="unix:///nowhere.sock", POLICIES={"site": ONE | {"store_away": "closed"}})

    response = client.get("/graphql/")

    extensions = response.json()["errors"][0]["extensions"]
    assert response.status_code == 503
    assert extensions["code"] == "SERVICE_UNAVAILABLE"
    assert extensions["retry-after"] == int(response["Retry-After"])


def test_a_browser_reads_a_page_whose_only_style_its_policy_allows(client):
    """A sheet of its own would be refused like the page: the style is inside, and the policy names its hash."""
    response = refused(client, "/graphql/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")

    (style,) = re.findall(rb"<style>(.*?)</style>", response.content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert response.status_code == 429
    assert b"<h1>Quota exceeded</h1>" in response.content
    assert response["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("engines", [[], [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]])
def test_a_browser_reads_the_same_page_where_a_project_has_no_templates(client, settings, engines):
    """As an API often has none: else the refusal is an error 500."""
    settings.TEMPLATES = engines
    responses._style_hash.cache_clear()

    response = refused(client, "/rest/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert response.status_code == 429
    assert b"<h1>Quota exceeded</h1>" in response.content
    assert b"{%" not in response.content


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_a_view_answers_itself_tells_all_and_is_counted_once(client, tracking, agent):
    """GraphQL makes of each exception an error of its field, from its text and its `extensions`."""
    login = {"rates": ["2/m"], "kinds": ["login"], "key": "network", "why": "for a test"}
    tracking(POLICIES={"tries": login})

    response = client.post("/graphql-logins/")

    assert response.status_code == 200
    first, second = response.json()["errors"]
    assert first["message"] == first["extensions"]["detail"]
    assert first["message"].startswith("Too many requests under the policy tries. Retry in ")
    assert first["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < first["extensions"]["retry-after"] <= 60
    assert second["extensions"].keys() == first["extensions"].keys()
    emit.flush()
    assert agent.total(catalogue.THROTTLED, policy="tries", route="graphql-logins") == 1
    assert agent.total(catalogue.AUTH_ATTEMPTS, outcome="refused") == 2


def test_the_old_fields_say_what_the_new_ones_say(client, tracking):
    tracking(LEGACY_FIELDS=True)

    response = refused(client, "/rest/")

    old = [response[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert old == ["1", "0", response["Retry-After"]]
    assert response["RateLimit"] == f'"site";r=0;t={response["Retry-After"]}'


def test_a_refusal_tells_the_limits_that_had_let_it_pass_as_it_left_them(client, tracking):
    """The network's limit took a place before the user's refused, and has it back."""
    mine = {"rates": ["1/m"], "routes": ["*"], "key": "user", "why": "for a test"}
    network = {"rates": ["9/m"], "routes": ["*"], "key": "network", "why": "for a test"}
    tracking(POLICIES={"site": None, "mine": mine, "wide": network}, KNOWN_CALLER="tests.test_door.known_caller")
    client.get("/rest/", headers={"X-Test-User": "42"})

    response = client.get("/rest/", headers={"X-Test-User": "42"})

    assert response.status_code == 429
    assert '"wide";r=8;' in response["RateLimit"]
