"""What is kept of one person, taken away: of a network with all it did, or of a user's name in what they did.

Step by step, each in short transactions and each found again by what was asked for: whoever is interrupted runs it
again, and a second run finds nothing. What tells where the rest is (the case, by its network) is changed last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from ip_tracking import conf
from ip_tracking.client import network_of
from ip_tracking.event import Event
from ip_tracking.gate import decisions, limiter, store
from ip_tracking.models import CaseFinding, Decision, RequestLog, ReviewText, SuspiciousIP
from ip_tracking.models.cases import erased_name
from ip_tracking.outcomes import account_key
from ip_tracking.record.spool import Spool
from ip_tracking.review import record
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import NotPossible, read_reason

ERASE = "erase"

# So that no transaction lasts, whatever there is: a fraction of a second.
ROWS_AT_ONCE = 1_000

NOTE = "The address and the evidence were erased on request."
GONE = "erased"

# What may be an address in a reason, and what may be a name.
WORDS = re.compile(r"[\w.:%@+-]+")

Change = Callable[[Event], Event | None]
RowChange = Callable[[QuerySet[RequestLog]], int]


class Erased(NamedTuple):
    """So many went at one place, or would go; or were left there, and why."""

    place: str
    number: int
    left: str = ""


class Erasure(NamedTuple):
    """Who asks for it, why, and whether to look only."""

    actor: Actor
    reason: str
    now: datetime
    dry_run: bool = False


def erase_network(network: str, asked: Erasure) -> Iterator[Erased]:
    """Takes away what is kept of a client's network, and tells place by place. The case keeps what its rules found.

    Raises NotPossible where it must not be, with what would be right.
    """
    reason = read_reason(asked.reason)
    _refuse_named(reason, lambda word: network_of(word) == network)
    _refuse_while_decided(network, asked.now)
    tag = f"n:{network}"
    _counters(tag)  # before anything is done: can the store be asked at all?
    yield from _from_spool(lambda event: None if event.network == network else event, asked)
    yield _from_log(Q(network=network), _delete, "requests in the log", asked)
    yield _from_store(tag, asked)
    yield from _from_case(network, reason, asked)


def erase_user(user_id: str, logins: Iterable[str], asked: Erasure) -> Iterator[Erased]:
    """Takes a user's name from all requests, which stay as a stranger's. `logins`: further names they signed in by.

    Raises NotPossible where it must not be, with what would be right.
    """
    if not user_id:
        raise NotPossible("Name the user by an id.")  # "" would be everybody who is not signed in
    reason = read_reason(asked.reason)
    names = {*logins, *_names_of(user_id)}
    _refuse_named(reason, lambda word: word == user_id or word.casefold() in {name.casefold() for name in names})
    accounts = sorted({account_key(name) for name in names if name})
    tags = [f"u:{user_id}", *(f"a:{account}" for account in accounts)]
    for tag in tags:
        _counters(tag)  # before anything is done: can the store be asked at all?
    yield from _from_spool(lambda event: _nameless(event, user_id, accounts), asked)
    yield _from_evidence(accounts, asked)
    yield _from_log(Q(user=user_id), lambda rows: rows.update(user=""), "requests in the log with the user", asked)
    yield _from_log(
        Q(account__in=accounts), lambda rows: rows.update(account=""), "requests in the log with an account", asked
    )
    for tag in tags:
        yield _from_store(tag, asked)
    yield _from_record(user_id, reason, asked)


# Whether it may be


def _refuse_named(reason: str, is_named: Callable[[str], bool]) -> None:
    """The reason is kept when all else is gone."""
    for word in WORDS.findall(reason):
        if is_named(word) or is_named(word.rstrip(".:")):
            raise NotPossible(f"The reason names {word!r}, and it would be kept: give it without, such as a ticket.")


def _refuse_while_decided(network: str, now: datetime) -> None:
    standing = Decision.objects.standing(now).filter(network=network).first()
    if standing is not None:
        raise NotPossible(
            f"A decision ({standing.kind}) stands on {network}, and it cannot stand without its name. End it first: "
            f'manage.py unblock_ip {network} --reason "..."; then erase.'
        )


def _names_of(user_id: str) -> set[str]:
    """What the user may have signed in by; nothing of one who is gone, or is no user of this database."""
    users: Any = get_user_model()
    try:
        user = users._default_manager.filter(pk=user_id).first()
    except (ValueError, ValidationError):
        user = None
    if user is None:
        return set()
    return {user.get_username(), getattr(user, users.get_email_field_name(), "") or ""} - {""}


def is_user(user_id: str) -> bool:
    return bool(_names_of(user_id))


# The spool of this host


def _from_spool(change: Change, asked: Erasure) -> Iterator[Erased]:
    directory = conf.get().spool_dir
    try:
        done = Spool(directory).rewrite(change, dry_run=asked.dry_run)
    except OSError as error:
        raise NotPossible(f"The spool: {error}. Run this as the user that the web processes run as.") from error
    yield Erased(f"requests waiting in the spool ({directory or 'there is none'})", done.events)
    if done.in_hand:
        yield Erased("spool files", done.in_hand, "they were just being sent: run it again")
    for path in done.unreadable:
        yield Erased(str(path), 1, "it cannot be read: look at it, and delete it")


def _nameless(event: Event, user_id: str, accounts: list[str]) -> Event:
    if event.user == user_id:
        event = event._replace(user="")
    return event._replace(account="") if event.account in accounts else event


# The request log


def _from_log(which: Q, change: RowChange, place: str, asked: Erasure) -> Erased:
    rows = RequestLog.objects.filter(which)
    return Erased(place, rows.count() if asked.dry_run else _walk(rows, change))


def _walk(rows: QuerySet[RequestLog], change: RowChange) -> int:
    """Changes rows so that they are no longer among these, some at a time, in the order of time.

    Cut by time and not by key (forty times slower): PostgreSQL knows which days to look in, asks one index, and passes
    over nothing that is gone already.
    """
    number, ahead = 0, rows
    while cut := list(ahead.order_by("at").values_list("at", flat=True)[ROWS_AT_ONCE - 1 : ROWS_AT_ONCE]):
        number += change(ahead.filter(at__lte=cut[0]))
        ahead = rows.filter(at__gt=cut[0])
    return number + change(ahead)


def _delete(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]


# The store


def _from_store(tag: str, asked: Erasure) -> Erased:
    """Of no policy that was dropped since: its counters end with their window."""
    found = _counters(tag)
    if found and not asked.dry_run:
        with _reached_store() as client:
            client.delete(*found)
    return Erased(f"counters in Redis ({tag})", len(found))


def _counters(tag: str) -> list[str]:
    with _reached_store() as client:
        return [key for key in limiter.counters_of(tag) if client.exists(key)]


@contextmanager
def _reached_store() -> Iterator[Any]:
    try:
        yield store.get().client
    except store.UNREACHABLE as error:
        raise NotPossible(
            f"The store cannot be reached ({type(error).__name__}). Run this again when it is back: what is done stays "
            "done."
        ) from error


# The case of a network, decisions that ended, what was written


def _from_case(network: str, reason: str, asked: Erasure) -> Iterator[Erased]:
    """All at once, with the record of it: a case without its address could not be found again."""
    with transaction.atomic():
        case = SuspiciousIP.objects.select_for_update().filter(network=network).first()
        _refuse_while_decided(network, asked.now)  # a detector may have decided meanwhile
        found = [
            Erased("findings with evidence", _empty_evidence(case, asked)),
            Erased("ended decisions", _relabel_decisions(network, case, asked)),
            Erased("texts about it", _drop_texts(network, asked)),
            Erased("notes of who sat there", _forget_seats(Q(actor_network=network), asked)),
            Erased("cases", int(case is not None)),
        ]
        if not asked.dry_run:
            _relabel(case, reason, asked)
    if not asked.dry_run:
        with _reached_store():
            decisions.copy_again(network, asked.now)
    yield from found


def _empty_evidence(case: SuspiciousIP | None, asked: Erasure) -> int:
    findings = CaseFinding.objects.filter(case=case).exclude(evidence=[])
    return findings.count() if asked.dry_run else findings.update(evidence=[])


def _relabel_decisions(network: str, case: SuspiciousIP | None, asked: Erasure) -> int:
    ended = Decision.objects.filter(network=network)
    if asked.dry_run:
        return ended.count()
    return ended.update(network=erased_name(case.pk if case else 0), reason=GONE)


def _drop_texts(network: str, asked: Erasure) -> int:
    texts = ReviewText.objects.filter(network=network)
    return texts.count() if asked.dry_run else _delete(texts)


def _forget_seats(which: Q, asked: Erasure) -> int:
    seats = ReviewText.objects.filter(which).exclude(actor_network="")
    return seats.count() if asked.dry_run else seats.update(actor_network="")


def _relabel(case: SuspiciousIP | None, reason: str, asked: Erasure) -> None:
    before = record.state_of(case) if case else None
    if case is not None:
        case.network, case.note = erased_name(case.pk), NOTE
        case.version += 1
        case.save()
    record.write(record.Deed(ERASE, asked.actor, asked.now, uuid4(), reason), case, before)


# A user's name in others' evidence, and in what they did as staff


def _from_evidence(accounts: list[str], asked: Erasure) -> Erased:
    number = 0
    findings = CaseFinding.objects.annotate(text=Cast("evidence", TextField()))
    for account in accounts:
        keys = findings.filter(text__contains=account).order_by("pk").values_list("pk", "case_id")
        for key, case_id in list(keys):
            number += _from_finding(key, case_id, account, asked)
    return Erased("requests in evidence that name an account", number)


@transaction.atomic
def _from_finding(key: int, case_id: int, account: str, asked: Erasure) -> int:
    """Whoever files findings of this case waits, or their evidence would come back."""
    SuspiciousIP.objects.select_for_update().filter(pk=case_id).first()
    finding = CaseFinding.objects.filter(pk=key).first()
    naming = [event for event in finding.evidence if event.get("account") == account] if finding else []
    if finding and naming and not asked.dry_run:
        for event in naming:
            event["account"] = ""
        finding.save(update_fields=["evidence"])
    return len(naming)


def _from_record(user_id: str, reason: str, asked: Erasure) -> Erased:
    """What somebody did as staff is the house's record; where they sat when they did it is their own."""
    with transaction.atomic():
        number = _forget_seats(Q(action__actor_id=user_id), asked)
        if not asked.dry_run:
            record.write(record.Deed(ERASE, asked.actor, asked.now, uuid4(), reason))
    return Erased("notes of where they sat", number)
