"""The sweep's questions: what no single client shows. Each asks a few sums over one hour of the log.

Sums only grow as late rows come, but shares can fall: what was filed by comparison before a late batch came stays, true
of the rows there were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from django.db.models import Q

from ip_tracking.detection import crowd, hourly
from ip_tracking.detection.bursts import READ_BACK
from ip_tracking.detection.finding import Finding, Rule
from ip_tracking.detection.habits import DECLINED_PAYMENT, HABITS, REFUSED_COUPON
from ip_tracking.detection.symptoms import FAILED_LOGIN, MISSING_PATH, REFUSED_BY_POLICY
from ip_tracking.event import US, to_us
from ip_tracking.hour import Hour
from ip_tracking.models.population import PopulationQuerySet
from ip_tracking.outcomes import LOGIN_FAILED, LOGIN_OK

FAILED, SUCCEEDED = Q(outcome=LOGIN_FAILED), Q(outcome=LOGIN_OK)

# Habits are what harmless clients show too. At a timer's pace two of them are a test of cards or of coupons.
HARMLESS = ("", *HABITS)
SHOWS_NOTHING = Q(symptoms__in=HARMLESS)
PROBES = ~Q(symptoms__in=(*HARMLESS, FAILED_LOGIN, REFUSED_BY_POLICY))
# A missing page asked for again and again is an old link or a monitor.
OFFENDS = ~Q(symptoms__in={*HARMLESS, MISSING_PATH, REFUSED_BY_POLICY} - {DECLINED_PAYMENT, REFUSED_COUPON})

# What pages embed has no route and shows nothing: its absence is the page's fault.
ERRORS = Q(status__gte=400, status__lt=500) & ~Q(route="", symptoms="")


def distributed_login(hour: Hour) -> list[Finding]:
    """The owner, who also mistypes, is nobody's accomplice."""
    rule = hourly.DISTRIBUTED_LOGIN
    accounts = hour.rows.networks_by("account", FAILED & ~Q(account=""), least=rule.threshold)
    return _accuse_by(hour, rule, "account", accounts, FAILED)


def neighbours_guessing(hour: Hour) -> list[Finding]:
    counts = hour.rows.count_by("network", FAILED)
    return _neighbours(hour, hourly.NEIGHBOURS_GUESSING, counts, FAILED, SUCCEEDED)


def neighbours_probing(hour: Hour) -> list[Finding]:
    counts = hour.rows.paths_by("network", PROBES)
    return _neighbours(hour, hourly.NEIGHBOURS_PROBING, counts, PROBES, SHOWS_NOTHING)


def shared_agent_guessing(hour: Hour) -> list[Finding]:
    return _shared_agent(hour, hourly.SHARED_AGENT_GUESSING, FAILED, SUCCEEDED)


def shared_agent_probing(hour: Hour) -> list[Finding]:
    return _shared_agent(hour, hourly.SHARED_AGENT_PROBING, PROBES, SHOWS_NOTHING)


def machine_rhythm(hour: Hour) -> list[Finding]:
    return _steady(hour, hourly.MACHINE_RHYTHM, OFFENDS)


def steady_requests(hour: Hour, whose: Q) -> list[Finding]:
    """Of low severity, so that it is asked only of those who have a case."""
    return _steady(hour, hourly.STEADY_REQUESTS, whose)


def mostly_errors(hour: Hour) -> list[Finding]:
    rule = hourly.MOSTLY_ERRORS
    suspects = hour.rows.erring(ERRORS, least=rule.threshold, share=rule.also["share"])
    if not suspects:
        return []
    usual = hour.rows.usual_share(ERRORS)
    paths = hour.rows.filter(network__in=suspects).paths_by("network", ERRORS)
    counts = {
        network: errors
        for network, (requests, errors) in suspects.items()
        if paths[network] >= rule.also["paths"]
        and errors / requests
        >= rule.also["times_the_others"] * crowd.mean_of_others(usual.mean, usual.networks, errors / requests)
    }
    return hour.accuse(rule, counts, hour.rows.filter(ERRORS))


def wide_reading(hour: Hour) -> list[Finding]:
    rule = hourly.WIDE_READING
    readers = hour.rows.widest_readers(least=rule.threshold)
    if not readers:
        return []
    most = rule.also["times_the_others"] * hour.rows.usual_requests(below=rule.threshold)
    counts = {network: paths for network, paths in readers.items() if paths >= most}
    return hour.accuse(rule, counts, hour.rows)


def takes_most_time(hour: Hour) -> list[Finding]:
    rule = hourly.TAKES_MOST_TIME
    takers = hour.rows.time_takers(least_us=rule.threshold * US)
    if not takers:
        return []
    all_us, networks = hour.rows.time_of_all()
    if networks < rule.also["networks"]:
        return []
    counts = {network: took // US for network, took in takers.items() if took >= rule.also["share"] * all_us}
    return hour.accuse(rule, counts, hour.rows)


QUESTIONS: tuple[Callable[[Hour], list[Finding]], ...] = (
    distributed_login,
    neighbours_guessing,
    neighbours_probing,
    shared_agent_guessing,
    shared_agent_probing,
    machine_rhythm,
    mostly_errors,
    wide_reading,
    takes_most_time,
)


def _neighbours(hour: Hour, rule: Rule, counts: Mapping[str, int], bad: Q, good: Q) -> list[Finding]:
    places = crowd.busy_neighbourhoods(counts, rule)
    if not places:
        return []
    goods = _by_neighbourhood(hour.rows.count_by("network", good), places)
    found: dict[str, int] = {}
    for place, networks in places.items():
        together = crowd.shared(counts, networks, rule)
        if crowd.mostly_bad(together, goods[place], rule) and _are_different(hour.rows, rule, networks, bad):
            found |= dict.fromkeys(networks, together)
    return hour.accuse(rule, found, hour.rows.filter(bad), but_owners=True)


def _by_neighbourhood(counts: Mapping[str, int], places: Collection[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for network, times in counts.items():
        place = crowd.neighbourhood(network)
        if place in places:
            found[place] += times
    return found


def _are_different(rows: PopulationQuerySet, rule: Rule, networks: Iterable[str], bad: Q) -> bool:
    """Neighbours that all follow the same broken link have no list."""
    if "paths" not in rule.also:
        return True
    return rows.filter(bad, network__in=networks).values("path").distinct().count() >= rule.also["paths"]


def _shared_agent(hour: Hour, rule: Rule, bad: Q, good: Q) -> list[Finding]:
    networks = hour.rows.networks_by("user_agent", bad, least=rule.threshold)
    if not networks:
        return []
    rows = hour.rows.filter(user_agent__in=networks)
    bads, goods = rows.count_by("user_agent", bad), rows.count_by("user_agent", good)
    paths = rows.paths_by("user_agent", bad)
    guilty = {
        agent: number
        for agent, number in networks.items()
        if crowd.mostly_bad(bads[agent], goods.get(agent, 0), rule) and paths[agent] >= rule.also.get("paths", 0)
    }
    return _accuse_by(hour, rule, "user_agent", guilty, bad)


def _accuse_by(hour: Hour, rule: Rule, field: str, shared: Mapping[str, int], bad: Q) -> list[Finding]:
    """Accuses every network that did something bad with a value that many share; counted is with how many."""
    if not shared:
        return []
    rows = hour.rows.filter(bad, **{f"{field}__in": shared})
    counts: Counter[str] = Counter()
    for network, value in rows.pairs(field):
        counts[network] = max(counts[network], shared[value])
    return hour.accuse(rule, counts, rows, but_owners=True)


def _steady(hour: Hour, rule: Rule, which: Q) -> list[Finding]:
    """Whoever sends more than READ_BACK an hour is not slow, and not read."""
    rows = hour.window(rule).filter(which)
    regulars = rows.regulars(hour.start, least=rule.threshold, most=READ_BACK * rule.window_s // hourly.HOUR_S)
    times = {network: [to_us(at) for at in rows.times_of(network)] for network in regulars}
    counts = {network: len(of_network) for network, of_network in times.items() if crowd.is_steady(of_network, rule)}
    return hour.accuse(rule, counts, hour.rows.filter(which))
