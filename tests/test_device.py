"""The device cookie: strangers who guess at an account do not lock its owner out, and it is worth nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import django.core.signing
import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from ip_tracking import device
from ip_tracking.conf import BadSetting
from ip_tracking.device import MAX_AGE_S, MOST_ACCOUNTS, MOST_CHARS
from ip_tracking.gate import limiter
from ip_tracking.gate.plan import login_plan
from ip_tracking.outcomes import account_key
from ip_tracking.record import buffer
from ip_tracking.steps import drive
from tests.urls_device import BREAKS

COOKIE = "sentinel_device"
PASSWORD = "a long enough password"
PAGES = ["/sign-in/", "/sign-in-async/"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _door(settings, tracking):
    settings.ROOT_URLCONF = "tests.urls_device"
    settings.AUTHENTICATION_BACKENDS = [
        "ip_tracking.auth.GateBackend",
        "tests.urls_device.Breaking",
        "tests.urls_device.ByEmail",
        "django.contrib.auth.backends.ModelBackend",
    ]
    tracking(TRUSTED_PROXIES=["127.0.0.1/32"], KINDS={"coupon": "coupon"}, OUTCOMES={})


@pytest.fixture(autouse=True)
def dana() -> Any:
    return get_user_model().objects.create_user("dana", "dana@example.com", PASSWORD)


@pytest.fixture
def eve() -> Any:
    return get_user_model().objects.create_user("eve", "eve@example.com", PASSWORD)


@pytest.fixture
def sign_in(http) -> Callable[..., Any]:
    """`sign_in("dana", cookie="...")`: from a network of its own, with this device cookie and no other."""
    networks = iter(range(1, 255))

    def ask(name: str = "dana", password: str = PASSWORD, *, cookie: str = "", page: str = "/sign-in/") -> Any:
        return _send(http, networks, cookie, lambda f: http.post(page, {"username": name, "password": password}, **f))

    return ask


@pytest.fixture
def batch(http) -> Callable[..., Any]:
    """`batch(["check", "dana", "a password"], ["login", "dana"])`: one request."""
    networks = iter(range(1, 255))

    def ask(*operations: list[str], cookie: str = "") -> Any:
        body = json.dumps(operations)
        return _send(http, networks, cookie, lambda f: http.send("POST", "/batch/", body, "application/json", **f))

    return ask


def _send(http: SimpleNamespace, networks: Any, cookie: str, send: Callable[..., Any]) -> Any:
    http.cookies.clear()
    if cookie:
        http.cookies[COOKIE] = cookie
    return send({"headers": {"X-Forwarded-For": f"203.0.113.{next(networks)}"}})


def exhaust(name: str) -> None:
    """Thirty strangers guess once each, and are never told apart from a login that goes on."""
    for host in range(30):
        drive(limiter.admit(f"198.51.100.{host}", None, login_plan(), ask=limiter.Ask(account=account_key(name))))


def proves(cookie: str, name: str) -> bool:
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = cookie
    return device.proof(request, account_key(name)) != ""


def given(answer: Any) -> str:
    return answer.cookies[COOKIE].value if COOKIE in answer.cookies else ""


# What it is for


@pytest.mark.parametrize("page", PAGES)
def test_thirty_networks_lock_an_account_and_not_its_owner(sign_in, page):
    cookie = given(sign_in(page=page))
    guesses = [sign_in("dana", f"guess {n}", page=page).status_code for n in range(30)]

    stranger = sign_in(page=page)
    owner = sign_in(cookie=cookie, page=page)

    assert guesses == [401] * 20 + [429] * 10
    assert (stranger.status_code, owner.status_code) == (429, 200)


def test_whoever_types_their_e_mail_is_known_by_it(sign_in):
    cookie = given(sign_in("Dana@Example.com"))
    exhaust("dana@example.com")

    assert sign_in("dana@example.com").status_code == 429
    assert sign_in("DANA@example.com", cookie=cookie).status_code == 200


def test_the_cookie_goes_with_a_token_login_too(sign_in, settings, http):
    """The shop's, which knows nothing of it."""
    settings.ROOT_URLCONF = "sentinel.urls"

    answer = http.send(
        "POST", "/api/v1/auth/token/", json.dumps({"username": "dana", "password": PASSWORD}), "application/json"
    )

    assert answer.status_code == 200
    assert proves(given(answer), "dana")


def test_a_stolen_cookie_buys_ten_guesses_an_hour(sign_in):
    cookie = given(sign_in())

    guesses = [sign_in("dana", f"guess {n}", cookie=cookie).status_code for n in range(12)]

    assert guesses == [401] * 10 + [429] * 2


def test_where_no_policy_counts_devices_the_cookie_lifts_nothing(sign_in, tracking):
    tracking(POLICIES={"login-device": None})
    cookie = given(sign_in())
    exhaust("dana")

    assert sign_in(cookie=cookie).status_code == 429


# What is no proof


def _of(account: str, device_id: str = "0123456789abcdef") -> str:
    return device._signer().sign(f"{device_id}.{account_key(account)}")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: _of("dana")[:-1], id="truncated"),
        pytest.param(lambda: _of("dana").replace("0123", "3210"), id="another device"),
        pytest.param(lambda: _of("eve"), id="another account"),
        pytest.param(lambda: f"0123456789abcdef.{account_key('dana')}", id="unsigned"),
        pytest.param(
            lambda: django.core.signing.TimestampSigner(key="k" * 50, salt="ip_tracking.device").sign(
                f"x.{account_key('dana')}"
            ),
            id="another key",
        ),
        pytest.param(
            lambda: django.core.signing.TimestampSigner(salt="another").sign(f"x.{account_key('dana')}"),
            id="another purpose",
        ),
        pytest.param(lambda: device._signer().sign(".".join(["x" * MOST_CHARS, account_key("dana")])), id="oversized"),
        pytest.param(lambda: device._signer().sign(f"x.{account_key('dana')[:12]}"), id="half an account"),
        pytest.param(lambda: device._signer().sign("x."), id="no account"),
        pytest.param(lambda: ":::", id="colons"),
        pytest.param(lambda: "\x80\xff:\u2028:x", id="hostile text"),
    ],
)
def test_what_is_no_proof_lifts_nothing(sign_in, make):
    exhaust("dana")

    assert not proves(make(), "dana")
    if make().isascii():
        assert sign_in(cookie=make()).status_code == 429


def test_a_cookie_of_half_a_year_ago_is_no_proof(monkeypatch):
    now_s = 1_800_000_000
    monkeypatch.setattr(django.core.signing, "time", SimpleNamespace(time=lambda: now_s))
    cookie = _of("dana")

    monkeypatch.setattr(django.core.signing, "time", SimpleNamespace(time=lambda: now_s + MAX_AGE_S))
    in_time = proves(cookie, "dana")
    monkeypatch.setattr(django.core.signing, "time", SimpleNamespace(time=lambda: now_s + MAX_AGE_S + 1))
    late = proves(cookie, "dana")

    assert (in_time, late) == (True, False)


def test_a_login_that_names_nobody_is_proved_by_nothing():
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = device._signer().sign("x.")

    assert device.proof(request, "") == ""


def test_a_new_secret_key_ends_all_proofs_and_breaks_nothing(sign_in, settings):
    """Accounts are hashed under it (docs/decisions/0002). The next good login proves the device again."""
    cookie = given(sign_in())
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key, long enough " * 3

    before = proves(cookie, "dana")
    renewed = given(sign_in(cookie=cookie))

    assert not before
    assert proves(renewed, "dana")


# Who gets it


@pytest.mark.parametrize(
    ("name", "password", "page"),
    [
        ("dana", "wrong", "/sign-in/"),
        ("nobody", PASSWORD, "/sign-in/"),
        ("dana", PASSWORD, "/check-only/"),
        ("dana", "wrong", "/check-only/"),
    ],
)
def test_only_a_completed_login_gives_it(sign_in, name, password, page):
    assert given(sign_in(name, password, page=page)) == ""


def test_a_refused_login_gives_none(sign_in):
    exhaust("dana")

    answer = sign_in()

    assert (answer.status_code, given(answer)) == (429, "")


@pytest.mark.parametrize(
    "operations",
    [
        [["check", "eve", PASSWORD], ["login", "eve"], ["check", "dana", "wrong"]],
        [["check", "dana", "wrong"], ["check", "eve", PASSWORD], ["login", "eve"]],
        [["check", "eve", PASSWORD], ["check", "dana", "wrong"], ["login", "eve"]],
        [["check", "eve", PASSWORD], ["check", "dana", BREAKS], ["login", "eve"]],
        [["check", "eve", PASSWORD], ["login", "eve"], ["check", "dana", BREAKS]],
    ],
    ids=["good first", "good last", "wrong between", "broken between", "broken last"],
)
def test_one_good_login_of_a_batch_proves_its_own_account_only(batch, eve, operations):
    """Else an attacker's own account would buy proofs for everybody's."""
    cookie = given(batch(*operations))

    assert proves(cookie, "eve")
    assert not proves(cookie, "dana")


def test_who_signs_in_as_somebody_else_proves_whom_they_signed_in_as(http, eve):
    get_user_model().objects.create_user("staff", "staff@example.com", PASSWORD)

    cookie = given(http.post("/impersonate/", {"password": PASSWORD, "as": "eve"}))

    assert proves(cookie, "eve")
    assert not proves(cookie, "staff")


def test_an_e_mail_that_nobody_typed_is_not_proved(sign_in, dana):
    """An account with somebody else's unconfirmed address must not stand for that address."""
    dana.email = "eve@example.com"
    dana.save()

    assert not proves(given(sign_in("dana")), "eve@example.com")


# What it looks like


def test_a_device_keeps_its_name_and_the_last_five_accounts(sign_in):
    names = [f"customer{n}" for n in range(MOST_ACCOUNTS + 1)]
    for name in names:
        get_user_model().objects.create_user(name, f"{name}@example.com", PASSWORD)

    cookie, devices = "", set()
    for name in names:
        cookie = given(sign_in(name, cookie=cookie))
        devices.add(cookie.partition(".")[0])

    assert len(devices) == 1
    assert [proves(cookie, name) for name in names] == [False] + [True] * MOST_ACCOUNTS
    assert len(cookie) < 400


def test_no_name_is_in_it_and_two_devices_have_two(sign_in):
    one, other = given(sign_in()), given(sign_in())

    assert "dana" not in one
    assert one.partition(".")[0] != other.partition(".")[0]


@pytest.mark.parametrize("https", [True, False])
def test_scripts_and_other_sites_cannot_reach_it(sign_in, settings, https):
    settings.SESSION_COOKIE_SECURE = https

    cookie = sign_in().cookies[COOKIE]

    assert cookie["httponly"] is True
    assert bool(cookie["secure"]) is https
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Lax", "/", MAX_AGE_S)


def test_without_a_name_in_the_settings_there_is_none(sign_in, tracking):
    cookie = given(sign_in())
    tracking(DEVICE_COOKIE="")
    exhaust("dana")

    assert sign_in(cookie=cookie).status_code == 429
    assert given(sign_in("dana@example.com")) == ""


@pytest.mark.parametrize("name", ["my device", "a;b", "a=b", "é", None, 5])
def test_a_name_that_no_cookie_can_have_is_refused(tracking, name):
    with pytest.raises(BadSetting, match="DEVICE_COOKIE"):
        tracking(DEVICE_COOKIE=name)


def test_reading_it_asks_nobody(scripts_run, django_assert_num_queries):
    before, cookie = scripts_run(), _of("dana")

    with django_assert_num_queries(0):
        assert proves(cookie, "dana")

    assert scripts_run() == before


# What a refusal tells


def test_a_lock_tells_nothing_about_the_account(sign_in):
    """The same for a right and a wrong password, and for an account that does not exist."""
    exhaust("dana")
    exhaust("nobody")

    answers = [sign_in("dana"), sign_in("dana", "wrong"), sign_in("nobody"), sign_in("nobody", "wrong")]

    assert len({_told(answer) for answer in answers}) == 1
    assert answers[0].status_code == 429


def test_a_wrong_login_tells_nothing_about_the_account(sign_in):
    answers = [sign_in("dana", "wrong"), sign_in("nobody", "wrong"), sign_in("dana", "")]

    assert len({_told(answer) for answer in answers}) == 1
    assert answers[0].status_code == 401


def test_a_guesser_of_coupons_at_the_limit_learns_nothing_of_the_next(http):
    for number in range(10):
        assert http.get(f"/coupon/?code=GUESS-{number}").status_code == 404

    right, wrong = http.get("/coupon/?code=HALF"), http.get("/coupon/?code=WRONG")

    assert _told(right) == _told(wrong)
    assert right.status_code == 429


def _told(answer: Any) -> str:
    """All of an answer but the request's id and the seconds that passed."""
    text = repr((answer.status_code, sorted(answer.headers.items()), answer.content))
    text = text.replace(answer["X-Request-ID"], "")
    return re.sub(r"(Retry-After', '|t=|Retry in )\d+", r"\1", text)


# What the log remembers


@pytest.mark.parametrize(
    "operations",
    [
        [["check", "dana", "wrong"], ["check", "eve", PASSWORD], ["login", "eve"]],
        [["check", "eve", PASSWORD], ["login", "eve"], ["check", "dana", "wrong"]],
    ],
    ids=["good last", "good first"],
)
def test_a_good_login_does_not_stand_before_a_failed_one_in_the_log(batch, eve, operations):
    """Else an attacker's own account would hide whose passwords were guessed."""
    batch(*operations)

    (event,) = buffer.take()

    assert (event.outcome, event.account) == ("login_failed", account_key("dana"))
