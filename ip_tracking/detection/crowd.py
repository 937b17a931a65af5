"""What the sweep makes of counts over a population: pure, like the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from itertools import pairwise
from statistics import fmean, pstdev

from ip_tracking.detection.finding import Rule
from ip_tracking.event import HOUR_US, US


def neighbourhood(network: str) -> str:
    """The /24 or /48 that a client's network is in: who rents addresses gets them by these."""
    first, dot, _ = network.rpartition(".")
    if dot:
        return f"{first}.0/24"  # an IPv4 client is its address; ip_network takes ten times as long
    try:
        return str(ip_network(network).supernet(new_prefix=48))
    except ValueError:
        return network  # a row written by hand must not fail the sweep


def busy_neighbourhoods(counts: Mapping[str, int], rule: Rule) -> dict[str, list[str]]:
    """The neighbourhoods that meet the rule, each with its networks that count."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for network in counts:
        members[neighbourhood(network)].append(network)
    return {place: networks for place, networks in members.items() if shared(counts, networks, rule) >= rule.threshold}


def shared(counts: Mapping[str, int], networks: Iterable[str], rule: Rule) -> int:
    """What these networks did together, a loud one being cut down to what passes unseen."""
    return int(sum(min(counts[network], rule.also["each"]) for network in networks))


def mostly_bad(bad: int, good: int, rule: Rule) -> bool:
    """Is the good a share small enough? Nothing good at all is."""
    return good <= rule.also["good_share"] * (bad + good)


def is_steady(times_us: Sequence[int], rule: Rule) -> bool:
    """Are the pauses between these nearly equal, for hours?"""
    if len(times_us) < rule.threshold or times_us[-1] - times_us[0] < rule.also["hours"] * HOUR_US:
        return False
    pauses = [(after - before) / US for before, after in pairwise(times_us)]
    return pstdev(pauses) <= rule.also["spread"] * fmean(pauses)


def mean_of_others(mean: float, number: int, own: float) -> float:
    """The mean over a population without one of it; 0 where there is nobody else."""
    return (mean * number - own) / (number - 1) if number > 1 else 0.0
