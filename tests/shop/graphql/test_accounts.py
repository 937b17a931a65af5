"""Accounts and sign-ins by GraphQL: REST's answers, as data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from tests.shop.accounts import as_user, token_in_mail, without_workers
from tests.shop.conftest import PASSWORD
from tests.shop.graphql.asking import ask, refused, send

REGISTER = """
mutation ($email: String!) {
  register(email: $email) { __typename ... on InvalidInput { errors { path detail } } }
}
"""
CONFIRM = """
mutation ($token: String!, $password: String!) {
  confirmRegistration(token: $token, password: $password, firstName: "Eve") {
    __typename
    ... on Profile { email firstName }
    ... on Refusal { type title detail }
    ... on InvalidInput { errors { path } }
  }
}
"""
LOGIN = """
mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    __typename
    ... on Session { access refresh }
    ... on Refusal { type detail }
  }
}
"""
RENEW = "mutation ($refresh: String!) { renew(refresh: $refresh) { __typename ... on Session { access refresh } } }"
LOGOUT = "mutation ($refresh: String!) { logout(refresh: $refresh) { __typename } }"

pytestmark = pytest.mark.django_db


def test_an_account_is_asked_for_proved_and_used(workers: None) -> None:
    assert ask(REGISTER, email="eve@example.com") == {"register": {"__typename": "Accepted"}}
    token = token_in_mail()

    profile = ask(CONFIRM, token=token, password=PASSWORD)["confirmRegistration"]
    session = ask(LOGIN, username="eve@example.com", password=PASSWORD)["login"]
    me = ask("{ me { email } }", Client(headers={"Authorization": f"Bearer {session['access']}"}))["me"]

    assert profile == {"__typename": "Profile", "email": "eve@example.com", "firstName": "Eve"}
    assert me == {"email": "eve@example.com"}
    assert ask(CONFIRM, token=token, password=PASSWORD)["confirmRegistration"]["__typename"] == "AccountExists"


def test_known_and_unknown_addresses_are_answered_alike(workers: None, ada: User) -> None:
    answers = [send(REGISTER, email=email).content for email in ("ada@example.com", "nobody@example.com")]

    assert answers[0] == answers[1]
    assert [message.to for message in mail.outbox] == [["ada@example.com"], ["nobody@example.com"]]


def test_an_inbox_is_spared_by_both_apis_together(workers: None) -> None:
    for _ in range(2):
        ask(REGISTER, email="Spared@example.com")
        Client().post("/api/v1/auth/registration/", {"email": "spared@example.com"}, content_type="application/json")

    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    ("token", "password", "kind"),
    [("nonsense", PASSWORD, "BadLink"), ("", PASSWORD, "InvalidInput"), ("nonsense", "", "InvalidInput")],
)
def test_a_bad_link_or_nothing_is_told_as_data(token: str, password: str, kind: str) -> None:
    assert ask(CONFIRM, token=token, password=password)["confirmRegistration"]["__typename"] == kind


def test_a_weak_password_names_its_argument(workers: None) -> None:
    ask(REGISTER, email="eve@example.com")

    found = ask(CONFIRM, token=token_in_mail(), password="12345678")["confirmRegistration"]

    assert found["type"] == "urn:problem-type:shop:invalid-request"
    assert {"path": ["password"]} in found["errors"]


def test_a_wrong_address_names_its_argument() -> None:
    found = ask(REGISTER, email="nonsense")["register"]

    assert found["errors"] == [{"path": ["email"], "detail": "Enter a valid email address."}]


def test_where_no_mail_can_be_sent_is_an_error_with_the_time_to_come_back() -> None:
    with without_workers("redis://127.0.0.1:1/0"):
        answer = send(REGISTER, email="eve@example.com")

    assert answer.json()["data"] == {"register": None}
    told = refused(answer)
    assert (told["code"], told["status"], told["retry-after"]) == ("SERVICE_UNAVAILABLE", 503, 30)
    assert told["type"] == "urn:problem-type:shop:no-mail"


def test_wrong_passwords_of_known_and_unknown_are_one_answer(ada: User) -> None:
    answers = [send(LOGIN, username=name, password="wrong").content for name in ("ada", "nobody")]

    assert answers[0] == answers[1]
    assert b'"LoginRefused"' in answers[0]


def test_a_sign_in_is_renewed_once_and_ended(ada: User) -> None:
    first = ask(LOGIN, username="ada", password=PASSWORD)["login"]

    second = ask(RENEW, refresh=first["refresh"])["renew"]
    again = ask(RENEW, refresh=first["refresh"])["renew"]
    out = ask(LOGOUT, refresh=second["refresh"])["logout"]

    assert second["__typename"] == "Session"
    assert again == {"__typename": "SessionOver"}
    assert out == {"__typename": "SignedOut"}
    assert ask(RENEW, refresh=second["refresh"])["renew"] == {"__typename": "SessionOver"}
    assert ask(LOGOUT, refresh="nonsense")["logout"] == {"__typename": "SessionOver"}


# Who is asking


def test_nobody_is_null_and_a_customer_is_themselves(ada: User) -> None:
    assert ask("{ me { username } }") == {"me": None}
    assert ask("{ me { username } }", as_user(ada)) == {"me": {"username": "ada"}}


def over(user: User) -> Client:
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=-timedelta(minutes=1))
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("document", ["{ me { username } }", "{ cart { coupon } }", "{ orders { nodes { number } } }"])
def test_a_token_that_ran_out_is_an_error_of_the_fields_that_ask_who_it_is(ada: User, document: str) -> None:
    answer = send(document, over(ada))

    assert answer.status_code == 200
    assert set(answer.json()["data"].values()) == {None}
    told = refused(answer)
    assert (told["code"], told["status"], told["type"]) == ("UNAUTHENTICATED", 401, "about:blank")
    rest = over(ada).get("/api/v1/orders/").json()
    assert told["detail"] == rest["detail"] == answer.json()["errors"][0]["message"]


def test_a_token_that_ran_out_is_no_hindrance_to_browsing_and_signing_in(ada: User) -> None:
    client = over(ada)

    assert ask("{ categories { slug } }", client) == {"categories": []}
    assert ask(LOGIN, client, username="ada", password=PASSWORD)["login"]["__typename"] == "Session"


def test_a_session_cookie_makes_nobody_a_customer(ada: User) -> None:
    """No page of another origin can make a browser speak for its user."""
    client = Client()
    client.force_login(ada)

    assert ask("{ me { username } }", client) == {"me": None}
    assert refused(send("{ orders { nodes { number } } }", client))["code"] == "UNAUTHENTICATED"
