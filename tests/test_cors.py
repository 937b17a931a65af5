"""A page of another origin reads its limits, also those of a refusal."""

from __future__ import annotations

import pytest
from django.core import checks

SHOP = "https://shop.example.com"
PRODUCTS = "/api/v1/products/"


@pytest.fixture(autouse=True)
def _one_origin(settings, tracking):
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    tracking(POLICIES={"site": {"rates": ["1/m"], "why": "for a test"}})


def exposed(response) -> set[str]:
    return set(response["Access-Control-Expose-Headers"].split(", "))


def test_a_preflight_is_answered_and_costs_nothing(client):
    headers = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-cart-token",
    }

    responses = [client.options("/api/v1/auth/token/", headers=headers) for _ in range(3)]

    assert [response.status_code for response in responses] == [200] * 3
    assert responses[-1]["Access-Control-Allow-Origin"] == SHOP
    asked = {"authorization", "content-type", "idempotency-key", "x-cart-token"}
    assert asked <= set(responses[-1]["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.django_db
def test_a_refusal_can_be_read_by_a_page_of_another_origin(client):
    client.get(PRODUCTS, headers={"Origin": SHOP})

    response = client.get(PRODUCTS, headers={"Origin": SHOP})

    assert response.status_code == 429
    assert response["Access-Control-Allow-Origin"] == SHOP
    assert exposed(response) >= {"Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"}
    assert {"Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"} <= set(response.headers)
    assert "origin" in response["Vary"]


@pytest.mark.django_db
def test_a_page_of_another_origin_reads_a_tag_and_writes_on_it(client):
    read = client.get(PRODUCTS, headers={"Origin": SHOP})
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match,if-none-match"}
    preflight = client.options(f"{PRODUCTS}lamp/", headers={"Origin": SHOP, **asked})

    assert {"ETag", "Location", "Idempotent-Replayed", "Deprecation", "Sunset", "Link"} <= exposed(read)
    assert "ETag" in read
    assert {"if-match", "if-none-match"} <= set(preflight["Access-Control-Allow-Headers"].split(", "))
    assert "PATCH" in preflight["Access-Control-Allow-Methods"]


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "origin"), [(PRODUCTS, "https://evil.example.com"), ("/admin/login/", SHOP)])
def test_other_origins_and_other_pages_are_not_shared(client, page, origin):
    response = client.get(page, headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in response


# W007


def warnings() -> list[checks.CheckMessage]:
    messages = checks.run_checks(tags=[checks.Tags.security])
    return [message for message in messages if message.id == "ip_tracking.W007"]


@pytest.mark.parametrize(
    "expose",
    [
        ["retry-after", "ratelimit", "ratelimit-policy", "x-request-id"],
        ["*"],
    ],
)
def test_fields_that_are_exposed_are_fine(settings, expose):
    settings.CORS_EXPOSE_HEADERS = expose

    assert warnings() == []


def test_w007_fields_that_no_script_can_read(settings):
    settings.CORS_EXPOSE_HEADERS = ["Retry-After", "X-Other"]

    (warning,) = warnings()

    assert "RateLimit, RateLimit-Policy, X-Request-ID" in warning.msg
    assert warning.hint == "CORS_EXPOSE_HEADERS = ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-ID']"


def test_w007_knows_the_old_fields(tracking):
    tracking(LEGACY_FIELDS=True)

    assert "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset" in warnings()[0].msg


def test_a_project_without_cors_is_not_bothered(settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "cors" not in name]
    settings.CORS_EXPOSE_HEADERS = []

    assert warnings() == []
