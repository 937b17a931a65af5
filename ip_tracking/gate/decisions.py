"""Decisions: block, throttle or allow a network. The rows are the truth; the store and a small table hold copies.

Precedence, whatever the order they were made in and however wide they are: allow, then block, then throttle. An exact
network's decision lies in the store beside its counters and holds at once; wide networks and the allow-list are a table
in each process, refreshed every second.
"""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import redis
from django.db import transaction
from redis.cluster import RedisCluster

from ip_tracking import conf
from ip_tracking.client import IPV6_PREFIX, UNKNOWN
from ip_tracking.gate import store
from ip_tracking.gate.limiter import decision_key
from ip_tracking.models import Decision
from ip_tracking.models.decisions import AGAINST

logger = logging.getLogger(__name__)

STRONGEST_FIRST = (Decision.Kind.ALLOW, Decision.Kind.BLOCK, Decision.Kind.THROTTLE)

# Two seconds are promised: one until the refresh is due, the other for the query and whatever else the thread does.
REFRESH_S = 1.0

# Whoever comes back within thirty days is kept out for twice as long as before, a week at most.
REMEMBERED = timedelta(days=30)
LONGEST = timedelta(days=7)

# Of a cluster one node may be away: so many timeouts a copy takes before it is left to the next refresh.
MOST_WAITS = 5


class Wide(NamedTuple):
    """A standing decision that the table answers for."""

    kind: str
    until: datetime | None


class Table:
    """Wide networks and the allow-list, by version and prefix length: one dictionary look-up for each length in use."""

    def __init__(self, decisions: list[Decision]) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, list[Wide]]] = {}
        for decision in decisions:
            network = ip_network(decision.network)
            bits = network.max_prefixlen - network.prefixlen
            place = self._by_prefix.setdefault((network.version, bits), {})
            place.setdefault(int(network.network_address) >> bits, []).append(Wide(decision.kind, decision.until))

    def __bool__(self) -> bool:
        return bool(self._by_prefix)

    def find(self, network: str, now: datetime) -> Wide | None:
        """Returns the strongest decision that covers a client's network."""
        if network == UNKNOWN:
            return None
        address = ip_address(network.partition("/")[0])
        found = [
            wide
            for (version, bits), place in self._by_prefix.items()
            if version == address.version
            for wide in place.get(int(address) >> bits, ())
            if wide.until is None or wide.until > now
        ]
        return min(found, key=lambda wide: STRONGEST_FIRST.index(Decision.Kind(wide.kind)), default=None)


_table = Table([])
_generation: bytes | None = None


def find(network: str, now: datetime | None = None) -> Wide | None:
    """Asks the table; a caller at the door has no clock to pass, and most tables are empty."""
    return _table.find(network, now or datetime.now(UTC)) if _table else None


def term(network: str, first: timedelta, now: datetime) -> timedelta:
    """Returns how long the next block or throttle of a network stands: doubled for each that it served of late.

    A case judged benign needs no exception: detectors leave it alone for as long as is remembered here.
    """
    served = Decision.objects.served(network, now - REMEMBERED, now).count()
    # Twenty doublings of a second are past a week; more could be past what a timedelta holds.
    return min(first * (1 << min(served, 20)), max(first, LONGEST))


def decide(
    kind: str, network: str, *, until: datetime | None, reason: str, actor: str, by_person: bool, now: datetime
) -> Decision:
    """Records a decision, ending those of the same kind on this network, and copies it to the store on commit."""
    with transaction.atomic():
        _end(Decision.objects.standing(now).filter(network=network, kind=kind), now)
        decision = Decision.objects.create(
            kind=kind, network=network, until=until, reason=reason, actor=actor, by_person=by_person
        )
        transaction.on_commit(lambda: _copy_unless_away(now))
    return decision


def end(network: str, now: datetime, kinds: tuple[str, ...] = AGAINST) -> int:
    """Ends the standing decisions on exactly this network; returns how many there were."""
    with transaction.atomic():
        ended = _end(Decision.objects.standing(now).filter(network=network, kind__in=kinds), now)
        transaction.on_commit(lambda: _copy_unless_away(now))
    return ended


def _end(decisions: object, now: datetime) -> int:
    return decisions.update(ended_at=now, in_store=False)  # type: ignore[attr-defined,no-any-return]


def refresh(now: datetime | None = None) -> None:
    """Brings this process' table and the store in line with the rows. The background thread calls it."""
    global _table, _generation  # noqa: PLW0603 - what this process knows
    now = now or datetime.now(UTC)
    copy_pending(now)
    generation = _store_generation(now)
    if generation is None or generation != _generation:
        _table = Table(_for_table(list(Decision.objects.standing(now))))
        _generation = generation


def _for_table(standing: list[Decision]) -> list[Decision]:
    """Wide networks and the allow-list; exact blocks too while a wide throttle stands, which else would hide them.

    The table is asked before the store. (A known caller, whom no throttle binds, meets the store's copy as well.)
    """
    wide = {d.pk for d in standing if not is_exact(d.network)}
    hidden = any(d.pk in wide and d.kind == Decision.Kind.THROTTLE for d in standing)
    always = {Decision.Kind.ALLOW, Decision.Kind.BLOCK} if hidden else {Decision.Kind.ALLOW}
    return [d for d in standing if d.pk in wide or d.kind in always]


def _copy_unless_away(now: datetime) -> None:
    """Somebody's request waits for this; while the store is known to be away, the next refresh copies."""
    if not store.get().away:
        copy_pending(now)


def copy_pending(now: datetime) -> None:
    """Copies what changed since the last copy. A store that is away gets it when it is back: the rows wait.

    A row that somebody ends meanwhile stays pending, because its `ended_at` is no longer the one copied. One that ran
    out is closed here and its network copied again: the store forgot it by itself, but never knew what it outranked.
    """
    pending = list(Decision.objects.to_copy(now))
    if not pending:
        return
    try:
        waiting = _copy_all({decision.network for decision in pending}, now)
        _client().set(store.get().marks(_generation_key())[0], uuid.uuid4().hex)
    except store.UNREACHABLE as error:
        logger.warning("Decisions wait for the store (%s).", type(error).__name__)
        return
    for decision in pending:
        if decision.network in waiting:
            continue
        ended_at = decision.ended_at or (decision.until if _ran_out(decision, now) else None)
        unchanged = Decision.objects.filter(pk=decision.pk, ended_at=decision.ended_at)
        unchanged.update(in_store=True, ended_at=ended_at)


def _ran_out(decision: Decision, now: datetime) -> bool:
    return decision.until is not None and decision.until <= now


def _copy_all(networks: set[str], now: datetime) -> set[str]:
    """Returns the networks that wait for a node of a cluster; raises where too many do, as each costs a timeout."""
    waiting: set[str] = set()
    for network in networks:
        try:
            _copy(network, now)
        except store.UNREACHABLE:
            waiting.add(network)
            if len(waiting) == MOST_WAITS:
                raise
    return waiting


def copy_again(network: str, now: datetime) -> None:
    """Brings the store's copy for one network in line with the rows; raises what store.UNREACHABLE names."""
    _copy(network, now)


def _copy(network: str, now: datetime) -> None:
    """Writes the strongest standing decision on one exact network beside its counters, or removes what was there.

    The key is watched before the rows are read: of two processes copying at once, the one with older rows tries again.
    """
    if not is_exact(network):
        return
    key = decision_key(network)

    def write(pipe: redis.client.Pipeline) -> None:
        standing = {d.kind: d for d in Decision.objects.standing(now).filter(network=network)}
        strongest = next((standing[kind] for kind in STRONGEST_FIRST if kind in standing), None)
        pipe.multi()
        if strongest is None or strongest.kind == Decision.Kind.ALLOW:
            pipe.delete(key)
        else:
            pipe.set(key, strongest.kind, pxat=_milliseconds(strongest.until))

    _client().transaction(write, key)


def _store_generation(now: datetime) -> bytes | None:
    """Returns the store's marks of the last change, one on each node: without one it lost its data, and is filled."""
    try:
        marks = store.get().marks(_generation_key())
        found: dict[str, Any] = {mark: _client().get(mark) for mark in marks}  # redis-py says "or str"; never here
        lost = [mark for mark in marks if found[mark] is None]
        if lost:
            for network in Decision.objects.standing(now).values_list("network", flat=True).distinct():
                _copy(network, now)
            for mark in lost:
                found[mark] = uuid.uuid4().hex.encode()
                _client().set(mark, found[mark])
            logger.warning("The store had no decisions: it was filled again from the database.")
    except store.UNREACHABLE:
        return None
    return b" ".join(found.values())


def allow_list(now: datetime) -> Table:
    """Asks the rows for the whole of it, to look many clients up in."""
    return Table(list(Decision.objects.standing(now).filter(kind=Decision.Kind.ALLOW)))


def is_allowed(network: str, now: datetime) -> bool:
    """Asks the rows: is this network on the allow-list?"""
    parsed = ip_network(network)
    allowed = Decision.objects.standing(now).filter(kind=Decision.Kind.ALLOW).values_list("network", flat=True)
    return any(is_within(parsed, ip_network(text)) for text in allowed)


def is_within(inner: conf.Network, outer: conf.Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def is_exact(network: str) -> bool:
    """True for what one client is: an IPv4 address or an IPv6 /64."""
    parsed = ip_network(network)
    return parsed.prefixlen == (32 if parsed.version == 4 else IPV6_PREFIX)


def _milliseconds(until: datetime | None) -> int | None:
    return None if until is None else int(until.timestamp() * 1_000)


def _client() -> redis.Redis | RedisCluster:
    return store.get().client


def _generation_key() -> str:
    return f"{conf.get().key_prefix}:decisions"


@conf.on_change
def forget() -> None:
    global _table, _generation
    _table, _generation = Table([]), None
