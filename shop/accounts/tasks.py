"""What workers do for accounts. A mail may go twice, where a worker ends between sending it and saying so."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.core.management import call_command

from shop.accounts import mails
from shop.tries import DATABASE, PATIENT, RUN_AGAIN

# A quarter of an hour in all; then whoever waits for the mail has asked again.
TRIES: dict[str, Any] = {**PATIENT, "autoretry_for": (SMTPException, OSError, *DATABASE)}


@shared_task(name="shop.accounts.tasks.answer_registration", **TRIES)
def answer_registration(email: str) -> None:
    mails.answer_registration(email)


@shared_task(name="shop.accounts.tasks.answer_reset", **TRIES)
def answer_reset(email: str) -> None:
    mails.answer_reset(email)


@shared_task(name="shop.accounts.tasks.invite", **TRIES, **RUN_AGAIN)
def invite(user_id: int) -> None:
    mails.invite(user_id)


@shared_task(name="shop.accounts.tasks.answer_move", **TRIES)
def answer_move(user_id: int, email: str) -> None:
    mails.answer_move(user_id, email)


@shared_task(name="shop.accounts.tasks.tell_moved", **TRIES)
def tell_moved(email: str) -> None:
    mails.tell_moved(email)


@shared_task(name="shop.accounts.tasks.tell_password_changed", **TRIES, **RUN_AGAIN)
def tell_password_changed(user_id: int) -> None:
    mails.tell_password_changed(user_id)


@shared_task(name="shop.accounts.tasks.flush_expired_tokens", **PATIENT, **RUN_AGAIN)
def flush_expired_tokens() -> None:
    """Forgets refresh tokens that are over, used or not."""
    call_command("flushexpiredtokens")
