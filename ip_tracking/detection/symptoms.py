"""What one request shows by itself. A symptom accuses nobody: the rules count them."""

from __future__ import annotations

import re
from functools import lru_cache

from ip_tracking.detection.habits import habit_of
from ip_tracking.detection.matching import signatures_in
from ip_tracking.detection.pages import is_embedded
from ip_tracking.detection.signatures import FOREIGN_SOFTWARE, SIGNATURES, Signature
from ip_tracking.event import Event

FAILED_LOGIN = "failed-login"
MISSING_PATH = "missing-path"
MALFORMED = "malformed"
REFUSED_BY_POLICY = "refused-by-policy"

# What Event.refused holds where a decision refused, not a policy.
_DECISIONS = frozenset({"block", "throttle"})

# What a row keeps. An exploit that shows eight signatures is no less an exploit without a ninth.
MOST_SYMPTOMS = 8

_LOGIN_PATH = re.compile(
    r"/(?:log-?in|log-?on|sign-?in|auth|authenticate|session|sessions|token|tokens|jwt/create|obtain[_-]token|password"
    r"|wp-login\.php|xmlrpc\.php|j_security_check)(?:/(?:obtain|create|login|password|email|verify)?)?/?$"
    r"|/(?:auth|account|accounts|user|users|admin|api)/(?:\w{1,20}/){0,2}(?:login|signin|logon|token)/?$",
    re.IGNORECASE,
)
# A form that comes back is a failed login: these send a redirect after a good password. (An API's 200 is a good one.)
_LOGIN_FORM = re.compile(r"/(?:wp-login\.php|admin/login/?|administrator/index\.php|user/login/?)$", re.IGNORECASE)


def symptoms_of(event: Event, referer: str = "") -> str:
    """Names and name:signature, separated by spaces, in the table's order; else the one habit; "" where there is none.

    A log file knows the referer, which can carry an exploit like any header; an Event does not keep it.
    """
    if event.kind == "health":
        return ""
    if event.refused:
        # What we answered ourselves says nothing of what the client would have met: only that it came all the same.
        return REFUSED_BY_POLICY if _over_a_limit(event) else ""
    embedded = event.status >= 400 and is_embedded(event.path)
    shown = _answer(event, embedded=embedded)
    rows = _signatures(event, referer)
    if rows:
        shown += _seen(rows, event.status, embedded=embedded)
    return " ".join(shown[:MOST_SYMPTOMS]) if shown else habit_of(event)


@lru_cache(maxsize=1_024)
def names(symptoms: str) -> frozenset[str]:
    """The symptoms without their signatures."""
    return frozenset(symptom.partition(":")[0] for symptom in symptoms.split())


def _signatures(event: Event, referer: str) -> list[Signature]:
    path, query = event.path, event.query
    places = signatures_in("path", path) + signatures_in("agent", event.user_agent)
    if "%" in path:
        places += signatures_in("raw", path)
    if query:
        places += signatures_in("query", query) + signatures_in("target", f"{path}?{query}")
    if referer:
        places += signatures_in("referer", referer)
    return [SIGNATURES[place] for place in sorted(set(places))] if places else []


def _answer(event: Event, *, embedded: bool) -> list[str]:
    """What the answer tells of the request."""
    shown = []
    if (event.method == "POST" or event.outcome) and _failed_login(event):
        shown.append(FAILED_LOGIN)
    if event.status in (404, 410) and not event.route and not embedded:
        shown.append(MISSING_PATH)
    if not event.method and _malformed(event):
        shown.append(MALFORMED)
    return shown


def _seen(rows: list[Signature], status: int, *, embedded: bool) -> list[str]:
    """The signatures, but for those of a thing that the site does have."""
    served = status < 400 and status not in (301, 308)  # those two send every path elsewhere
    return [
        f"{row.symptom}:{row.name}"
        for row in rows
        if not ((served and row.unless_served) or (embedded and row.symptom == FOREIGN_SOFTWARE))
    ]


def _over_a_limit(event: Event) -> bool:
    """Refused by a limit it could have kept to. Not by a decision, which would feed itself; not by a 503 of ours."""
    return event.status == 429 and event.refused not in _DECISIONS


def _failed_login(event: Event) -> bool:
    if event.outcome or event.route:
        return event.outcome == "login_failed"
    if event.status in (401, 403):
        return _LOGIN_PATH.search(event.path) is not None
    return event.status == 200 and _LOGIN_FORM.search(event.path) is not None


def _malformed(event: Event) -> bool:
    """What came was no HTTP. A TLS greeting on the plain port is the one mistake that harmless clients make."""
    return event.path != "" and not event.path.startswith("\x16\x03")
