"""What harmless clients do too, and tells by its number only: buying, a card that fails, a browser of long ago.

A request shows at most one habit, and only where it shows nothing else: so each habit's rows are read and capped apart
from the symptoms', and a busy shop hides no attack.
"""

from __future__ import annotations

import re

from ip_tracking.detection.agents import dated_from_us
from ip_tracking.detection.pages import METHODS, is_embedded
from ip_tracking.event import Event

DECLINED_PAYMENT = "declined-payment"
PAID = "paid"
REFUSED_COUPON = "refused-coupon"
CART_ADD = "cart-add"
REGISTERED = "registered"
LOGIN_TRY = "login-try"
RANDOM_QUERY = "random-query"
DATED_AGENT = "dated-agent"

HABITS = (DECLINED_PAYMENT, PAID, REFUSED_COUPON, CART_ADD, REGISTERED, LOGIN_TRY, RANDOM_QUERY, DATED_AGENT)

_REFUSED = {
    "payment_declined": DECLINED_PAYMENT,
    "payment_failed": DECLINED_PAYMENT,
    "coupon_refused": REFUSED_COUPON,
    "coupon_failed": REFUSED_COUPON,
}
_OF_KIND = {"cart": CART_ADD, "registration": REGISTERED}
_CHANGING = frozenset({"POST", "PUT", "PATCH"})

# Doors for people. What gives out tokens is asked by machines, again and again, and rightly.
_LOGIN_DOOR = re.compile(
    r"/(?:log-?in|log-?on|sign-?in|authenticate|wp-login\.php|xmlrpc\.php|j_security_check)/?$", re.IGNORECASE
)
# "?8371265", "?PLR=X0T" or "?xQ3=f9Kd2": no page writes such names, for the server would not know them. A time is
# somebody's remedy against caches; small letters alone may be words.
_RANDOM_QUERY = re.compile(
    r"(?!1\d{9}(?:\d{3})?$)(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{5,40}"
    r"|(?:[A-Z]{3,16}|(?=[A-Za-z]*[0-9])[A-Za-z0-9]{3,16})=[A-Za-z0-9]{3,40}"
)


def habit_of(event: Event) -> str:
    """The one habit this request shows, or "". Most requests are views of pages by browsers of today."""
    if event.outcome or event.method not in METHODS:
        deed = _deed(event)
        if deed:
            return deed
    elif event.query and not event.query.islower() and _is_random(event):
        return RANDOM_QUERY
    return DATED_AGENT if event.at_us > dated_from_us(event.user_agent) else ""


def _deed(event: Event) -> str:
    if event.outcome in _REFUSED:
        return _REFUSED[event.outcome]
    if event.method not in _CHANGING or event.status >= 400:
        return DECLINED_PAYMENT if _is_declined(event) else ""
    if event.outcome == "payment_ok":
        return PAID
    if not (event.route or event.outcome) and _LOGIN_DOOR.search(event.path):
        return LOGIN_TRY  # what a line of a log leaves open: a good password and a wrong one may both answer 200 or 302
    return _OF_KIND.get(event.kind, "")


def _is_declined(event: Event) -> bool:
    """As a log tells it, which knows no outcome."""
    return event.status == 402 and event.method == "POST" and not (event.route or event.outcome)


def _is_random(event: Event) -> bool:
    return _RANDOM_QUERY.fullmatch(event.query) is not None and not is_embedded(event.path)
