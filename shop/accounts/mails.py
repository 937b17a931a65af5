"""What accounts are told by mail. Links begin with settings.SHOP_URL, never with a Host that a caller sent.

What a link proves stands behind a "#": browsers keep that to themselves, so it is in no log and in no Referer. The page
there, the front end's own, posts it to the API.
"""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from shop.accounts import address, passwords, registration
from shop.accounts.models import User


def answer_registration(email: str) -> None:
    """To an address that somebody wants an account with: the link, or that there is one."""
    if User.objects.filter(email=email).exists():
        _send("known", "You have an account", email, _page("password-reset"))
    else:
        _send("registration", "Your new account", email, _page("register/confirm", registration.token_for(email)))


def answer_reset(email: str) -> None:
    """Only to the address that the account has, as it is stored; to one that nobody has, nothing."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        _send("reset", "Choose a new password", user.email, _link(user))


def invite(user_id: int) -> None:
    """To the owner of an account that staff made, who chooses its password."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        _send("invitation", "Your new account", user.email, _link(user))


def answer_move(user_id: int, email: str) -> None:
    """To the address that an account wants: the link, or that another account has it."""
    if User.objects.filter(email=email).exists():
        _send("known", "You have an account", email, _page("password-reset"))
        return
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        _send("move", "Your new address", email, _page("email/confirm", address.token_for(user, email)))


def tell_moved(email: str) -> None:
    _send("moved", "Your address was changed", email, "")


def tell_password_changed(user_id: int) -> None:
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        _send("changed", "Your password was changed", user.email, _page("password-reset"))


def _link(user: User) -> str:
    return _page("password-reset/confirm", passwords.link_token(user))


def _page(path: str, token: str = "") -> str:
    url = f"{settings.SHOP_URL.rstrip('/')}/{path}"
    return f"{url}#token={token}" if token else url


def _send(text: str, subject: str, email: str | None, link: str) -> None:
    """Nothing that a caller typed but the address: else strangers would write to strangers in our name."""
    if email:
        hours = settings.PASSWORD_RESET_TIMEOUT // 3600
        body = render_to_string(f"accounts/mail/{text}.txt", {"link": link, "hours": hours})
        send_mail(subject, body, None, [email])
