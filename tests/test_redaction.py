"""No secret leaves the process: not in a message, not in the spool, not in the log or a case."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st

from ip_tracking import cases, tasks
from ip_tracking.detection.signatures import SIGNATURES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.models import CaseFinding, RequestLog
from ip_tracking.record.message import Message, NotSent
from ip_tracking.record.sender import Sender
from ip_tracking.record.spool import Spool
from ip_tracking.redaction import redact, redact_path, redact_query
from tests.detection.test_signatures import example_of
from tests.traffic import event, finding

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjo3fQ.4Adcj3UFYzPUVaVF43FmMab6RlaQD8A9V8wFzzht"
RESET = "c9xk3p-6f1a0c5be2d94f3c8a7b6d5e4f302112"  # Django's own password reset
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
URLSAFE = "Drmhze6EPcv0fN_81Bj-nA3kYq9TtWx2LsVu5RzOe7M"
CARD = "4242424242424242"

MARK = re.compile(r"\[redacted:[0-9a-f]{8}\]")


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("page=2&password=hunter2&sort=asc", "page=2&password=[redacted]&sort=asc"),
        ("PassWord=a&api-key=b&accessKey=c", "PassWord=[redacted]&api-key=[redacted]&accessKey=[redacted]"),
        ("user[password]=x&user%5Bpassword%5D=y", "user[password]=[redacted]&user%5Bpassword%5D=[redacted]"),
        ("p%61ssword=x", "p%61ssword=[redacted]"),
        ("password=a;b=c", "password=[redacted]"),
        ("a=1;token=x", "a=1;token=[redacted]"),
        ("next=/cb?token=abc&page=1", "next=/cb?token=[redacted]&page=1"),
        ("next=%2Fcb%3Ftoken%3Dabc&page=1", "next=[redacted]&page=1"),
        ("otp=123456&pin=1234&sid=x&sig=y", "otp=[redacted]&pin=[redacted]&sid=[redacted]&sig=[redacted]"),
        (f"q={JWT}", "q=[redacted]"),
        (f"number={CARD}", "number=[redacted]"),
        ("number=4242+4242-4242%204242", "number=[redacted]"),
        ("spin=1&design=x&opinion=y", "spin=1&design=x&opinion=y"),
        ("order=4242424242424241&phone=+4930123456", "order=4242424242424241&phone=+4930123456"),
        ("token", "token"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_query_keeps_names_and_loses_secret_values(query: str, kept: str) -> None:
    assert redact_query(query) == kept


@pytest.mark.parametrize("secret", [RESET, HEX, URLSAFE, JWT, CARD, f"MQ:1vMQ2x:{URLSAFE}"])
def test_a_segment_that_nobody_typed_is_not_kept(secret: str) -> None:
    kept = redact_path(f"/reset/MQ/{secret}/done")

    assert secret not in kept
    assert re.fullmatch(r"/reset/MQ/\[redacted(:[0-9a-f]{8})?\]/done", kept)


@pytest.mark.parametrize(
    "plain",
    [
        "/products/harry-potter-and-the-goblet-of-fire-2001/",
        "/Harry-Potter-And-The-Goblet-Of-Fire-2001",
        "/orders/0f8fad5b-d9cb-469f-a165-70867728950e/",
        "/orders/12345678901234567890123/",
        "/static/admin/css/base.0df98e2c81b1.css",
        "/api/GetFeatureFlagsV2ForCurrentUser",
        "/product_catalog_2023_summer_sale",
        "/..%2f..%2fetc/passwd",
    ],
)
def test_ids_titles_and_attacks_stay_readable(plain: str) -> None:
    assert redact(event(path=plain)).path == plain


def test_secrets_in_a_path_stay_different_and_the_same() -> None:
    """Rules and policies count different paths: a search through share links must not look like one link."""
    one, again, other = (redact_path(f"/share/{secret}") for secret in (HEX, HEX, HEX[::-1]))

    assert one == again != other


def test_the_ending_of_a_file_is_kept() -> None:
    assert re.fullmatch(MARK.pattern + r"\.js", redact_path(f"/{HEX}.js")[1:])


def test_a_parameter_of_a_path_is_no_better_than_one_of_a_query() -> None:
    assert redact_path("/shop;jsessionid=1A2B/cart") == "/shop;jsessionid=[redacted]/cart"


def test_a_token_in_a_user_agent_goes() -> None:
    assert redact(event(user_agent=f"app/1 (Bearer {JWT})")).user_agent == "app/1 (Bearer [redacted])"


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=100))
def test_whatever_came_is_redacted_once_and_for_all(path: str, query: str, agent: str) -> None:
    once = redact(event(path=path, query=query, user_agent=agent))

    assert redact(once) == once


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda row: row.name)
def test_no_attack_hides_behind_it(signature: Any) -> None:
    sent = example_of(signature)

    assert symptoms_of(redact(sent)) == symptoms_of(sent)


@pytest.mark.parametrize("part", ["-eyJ", "1-", "=", ";a=", "%3Dtoken", "a1" * 20 + "/", "eyJ" + "a" * 20 + "."])
def test_nobody_slows_us_down_with_a_long_address(part: str) -> None:
    long = (part * 2_048)[:2_048]

    started = time.thread_time()
    redact(event(path=long[:1_024], query=long, user_agent=long[:256]))

    assert time.thread_time() - started < 0.1


# From the request to what is kept


def view(request: HttpRequest, **_: str) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("reset/<uidb64>/<token>/", view, name="reset"), path("plain/", view, name="plain")]

SECRETS = ("hunter2", "short-1", JWT, CARD, "c2VjcmV0OnNlY3JldA", "sessionsecret", "body-secret", "ref-secret")


def call() -> None:
    client = Client()
    client.cookies["sessionid"] = "sessionsecret"
    client.get("/reset/MQ/short-1/", headers={"Authorization": "Basic c2VjcmV0OnNlY3JldA"})
    client.post(
        f"/plain/?password=hunter2&jwt={JWT}&n={CARD}",
        {"password": "body-secret", "card": CARD},
        headers={"Authorization": f"Bearer {JWT}", "User-Agent": f"app {JWT}", "Referer": "/x?token=ref-secret"},
    )


def held_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.urls("tests.test_redaction")
@pytest.mark.django_db
def test_neither_the_message_nor_the_log_holds_a_secret() -> None:
    sent: list[tuple[str, Message]] = []
    call()

    Sender(lambda *batch: sent.append(batch), Spool("")).flush()
    for one in sent:
        tasks.store_events(*one)

    rows = list(RequestLog.objects.order_by("at").values())
    assert len(rows) == 2
    assert MARK.search(rows[0]["path"])
    assert held_in(repr(sent) + repr(rows)) == []


@pytest.mark.urls("tests.test_redaction")
def test_the_spool_holds_none_either(tmp_path: Path) -> None:
    def away(batch_id: str, message: Message) -> None:
        raise NotSent("the broker is away")

    call()

    Sender(away, Spool(str(tmp_path))).flush()

    [file] = tmp_path.iterdir()
    assert "/plain/" in file.read_text()
    assert held_in(file.read_text()) == []


@pytest.mark.django_db
def test_evidence_of_a_log_file_holds_none() -> None:
    """Its lines never went through the door."""
    line = event(path=f"/reset/MQ/{RESET}/", query="password=hunter2", user_agent=JWT)

    cases.file([finding(evidence=(line,))], source="access.log")

    held = repr(CaseFinding.objects.get().evidence)
    assert "password=[redacted]" in held
    assert not [secret for secret in (RESET, "hunter2", JWT) if secret in held]
