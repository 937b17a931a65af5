"""What one request shows by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking.detection.symptoms import MOST_SYMPTOMS, names, symptoms_of
from ip_tracking.event import Event
from tests.detection.events import asked


def test_an_answered_page_shows_nothing():
    assert symptoms_of(asked("/api/products/", status=200)) == ""


def test_a_failed_login_is_what_the_login_said():
    failed = asked("/api/auth/login/", method="POST", status=400, route="shop:login", outcome="login_failed")
    refused_otherwise = asked("/api/auth/login/", method="POST", status=401, route="shop:login")

    assert symptoms_of(failed) == "failed-login"
    assert symptoms_of(refused_otherwise) == ""


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/auth/login/", 401),
        ("/accounts/login", 403),
        ("/api/v1/users/signin/", 401),
        ("/oauth/token", 401),
        ("/wp-login.php", 200),
        ("/admin/login/", 200),
    ],
)
def test_in_a_log_a_refused_post_to_a_login_is_a_failed_login(path, status):
    shown = symptoms_of(asked(path, method="POST", status=status))

    assert "failed-login" in names(shown)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/auth/login/", 401),
        ("POST", "/api/auth/login/", 200),
        ("POST", "/admin/login/", 302),
        ("POST", "/api/auth/token/refresh/", 401),
        ("POST", "/api/orders/", 403),
    ],
)
def test_in_a_log_other_refusals_are_no_failed_logins(method, path, status):
    assert "failed-login" not in names(symptoms_of(asked(path, method=method, status=status)))


@pytest.mark.parametrize("status", [404, 410])
def test_a_path_that_leads_nowhere_is_missing(status):
    assert symptoms_of(asked("/old-shop/", status=status)) == "missing-path"


@pytest.mark.parametrize("path", ["/media/shirt.jpg", "/static/app.3f2a.js", "/favicon.ico", "/.well-known/x"])
def test_what_pages_embed_and_browsers_ask_for_is_no_missing_path(path):
    assert symptoms_of(asked(path, status=404)) == ""


@pytest.mark.parametrize("status", [400, 401, 403, 405, 500, 502, 503])
def test_other_errors_are_no_missing_path(status):
    """A dead backend or an expired session answers every file of a page with them at once."""
    assert symptoms_of(asked("/old-shop/", status=status)) == ""


def test_a_missing_product_is_no_missing_path():
    assert symptoms_of(asked("/api/products/gone/", status=404, route="shop:product-detail")) == ""


@pytest.mark.parametrize(("refused", "status"), [("block", 403), ("throttle", 429), ("payment", 503)])
def test_a_request_that_we_refused_shows_nothing(refused, status):
    """Not by a decision, or it would feed itself; not while our store is away and the policy is closed."""
    assert symptoms_of(asked("/.env", status=status, refused=refused)) == ""


def test_a_request_over_a_limit_shows_that_alone():
    assert symptoms_of(asked("/.env?x=${jndi:ldap://a/b}", status=429, refused="site")) == "refused-by-policy"
    assert symptoms_of(asked("/healthz", status=429, refused="site", kind="health")) == ""
    assert symptoms_of(asked("/", status=429)) == ""


def test_a_health_route_shows_nothing():
    assert symptoms_of(asked("/healthz?x=${jndi:ldap://a/b}", status=200, kind="health")) == ""


def test_a_request_line_that_is_no_http_is_malformed():
    assert symptoms_of(asked("\x03\x00\x00/\xe0", method="", status=400)) == "malformed"


def test_tls_spoken_to_the_plain_port_is_an_honest_mistake():
    assert symptoms_of(asked("\x16\x03\x01\x00t\x01", method="", status=400)) == ""


def test_symptoms_fit_their_column():
    everything = "/.env/.git/.ssh/id_rsa/wp-config.php.bak/../../etc/passwd/wp-login.php/phpmyadmin/cgi-bin/bin/sh"
    injected = "a=${jndi:x}&b=<script>alert(1)&c=1'+or+'1'='1&d=1+union+select+1,2--&e=;wget+http://a&f=<?php"

    shown = symptoms_of(asked(f"{everything}?{injected}", user_agent="sqlmap"))

    assert len(shown.split()) == MOST_SYMPTOMS
    assert len(shown) <= 512


def test_names_leave_the_signatures_out():
    assert names("missing-path exploit:jndi exploit:sql-union") == {"missing-path", "exploit"}


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200), st.integers(0, 999))
def test_no_request_is_too_strange_to_look_at(path, query, agent, status):
    event = Event(0, "r", "203.0.113.9", "203.0.113.9", "GET", path, query, status=status, user_agent=agent)

    assert symptoms_of(event) == symptoms_of(event)
