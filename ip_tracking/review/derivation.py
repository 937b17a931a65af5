"""Who the server takes a caller for, and why: the walk that `client.identify` goes, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from ip_tracking import conf
from ip_tracking.client import MOST_HOPS, Client, Step, identify, sent, steps
from ip_tracking.visible import visible

# What proxies somewhere name clients in: told when it came, since people look for it there.
NAME_CLIENTS = (
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Client-IP",
    "X-Cluster-Client-IP", "Fastly-Client-IP", "X-Original-Forwarded-For", "X-Envoy-External-Address",
)  # fmt: skip

HEADER_SHOWN = 500


@dataclass(frozen=True, slots=True)
class StepShown:
    """One look of the walk, made safe to look at."""

    place: str  # "peer" or "entry"
    text: str
    read_as: str  # "" where it is no address
    why: str


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a peer and a header became a client."""

    header: str  # PROXY_HEADER
    value: str  # what it held
    steps: list[StepShown]
    ending: str  # what was not read, and why; "" where nothing was left
    not_read: list[str]  # headers that came, and are never read
    address: str
    network: str


def derivation(request: HttpRequest) -> Derivation:
    client, walked = identify(request), steps(request)
    header = conf.get().proxy_header
    return Derivation(
        header=header,
        value=visible(sent(request)[1], HEADER_SHOWN),
        steps=[_peer(walked[0]), *(_entry(step) for step in walked[1:])],
        ending=_ending(walked[-1], client),
        not_read=[name for name in NAME_CLIENTS if name.lower() != header.lower() and name in request.headers],
        address=client.address,
        network=client.network,
    )


def _peer(step: Step) -> StepShown:
    if step.trusted_by:
        why = f"trusted, by {step.trusted_by} in TRUSTED_PROXIES: the header is read from the right"
    elif step.address:
        why = "in no entry of TRUSTED_PROXIES: it is the client, and no header is read"
    elif step.text:
        why = "no address: the client is unknown, and no header is read"
    else:
        why = 'a unix socket, and TRUSTED_PROXIES has no "unix": the client is unknown, and no header is read'
    return StepShown("peer", visible(step.text), str(step.address or ""), why)


def _entry(step: Step) -> StepShown:
    if step.trusted_by:
        why = f"a trusted proxy, by {step.trusted_by}: further left"
    elif step.address:
        why = "in no entry of TRUSTED_PROXIES: it is the client"
    else:
        why = "no address: the walk ends, and the trusted hop before it is the client"
    return StepShown("entry", visible(step.text.strip()), str(step.address or ""), why)


def _ending(last: Step, client: Client) -> str:
    if client.beyond and last.trusted_by:
        return f"What is left has a quote that is never closed, or comes after {MOST_HOPS} hops: it is not read."
    if client.beyond:
        entries = "1 entry" if client.beyond == 1 else f"{client.beyond:,} entries"
        return f"{entries} not read: nobody we trust vouches for what stands further left."
    return "Nobody stands further left: the last trusted hop is the client." if last.trusted_by else ""
