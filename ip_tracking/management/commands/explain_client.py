"""Shows who a caller would be taken for, why, and how that client stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from django.core.checks import CheckMessage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import HttpRequest

from ip_tracking import conf, identity_checks
from ip_tracking.review.derivation import Derivation, derivation
from ip_tracking.review.order import NotPossible
from ip_tracking.review.standing import LimitShown, Standing, read_client, standing
from ip_tracking.visible import visible


class Command(BaseCommand):
    help = (
        "Explains how a peer and its headers become a client (--peer, --header), or takes an address as it is; then "
        "shows the decisions, limits and case of that client. Counts nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", help="a client's address: nothing is derived")
        parser.add_argument("--peer", help='who the server is connected with: an address, or "unix" for a unix socket')
        parser.add_argument(
            "--header",
            dest="headers",
            action="append",
            default=[],
            metavar="'NAME: VALUE'",
            help="a header of the request; again for each further line",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(
        self,
        *,
        address: str | None,
        peer: str | None,
        headers: list[str],
        format: str,  # noqa: A002 - the option's name
        **options: Any,
    ) -> None:
        if address and (peer is not None or headers):
            raise CommandError("Give an address, or a --peer with its --header lines, not both.")
        now = datetime.now(UTC)
        derived = None if address else derivation(_request(peer, headers))
        stands = standing(derived.network if derived else _network(address or ""), now)
        warnings = identity_checks.found(now)
        if format == "json":
            self.stdout.write(json.dumps(_as_json(derived, stands, warnings), indent=2, default=datetime.isoformat))
            return
        for line in [*(_derivation(derived) if derived else ()), *_standing(stands), *_warnings(warnings)]:
            self.stdout.write(line)


def _network(address: str) -> str:
    try:
        return read_client(address)
    except NotPossible as error:
        raise CommandError(str(error)) from error


def _request(peer: str | None, headers: list[str]) -> HttpRequest:
    """A request as a server would hand it over: lines of one name joined by commas, names with underscores dropped."""
    if peer is None:
        raise CommandError("Name an address, or who the server is connected with: --peer 10.0.0.1, or --peer unix.")
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = _peer(peer)
    for line in headers:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise CommandError(f"{line!r} is no header; write 'X-Forwarded-For: 203.0.113.7'")
        if "_" not in name:
            key = "HTTP_" + name.strip().upper().replace("-", "_")
            lines = [request.META[key]] if key in request.META else []
            request.META[key] = ",".join([*lines, value.strip()])
    return request


def _peer(text: str) -> str:
    if text == conf.UNIX:
        return ""
    try:
        return str(ip_address(text.strip()))
    except ValueError as error:
        raise CommandError(f'--peer {text!r} is no address; write 10.0.0.1, 2001:db8::1 or "unix"') from error


def _derivation(derived: Derivation) -> Iterator[str]:
    for step in derived.steps:
        if step.place == "peer":
            yield f"Peer {step.text or 'without an address'}: {step.why}."
            yield f"{derived.header}: {derived.value}" if derived.value else f"{derived.header}: did not come."
        else:
            read_as = "" if step.read_as in ("", step.text) else f" (read as {step.read_as})"
            yield f"  {step.text or 'nothing'}{read_as}: {step.why}."
    if derived.ending:
        yield f"  {derived.ending}"
    if derived.not_read:
        yield f"Came, and is never read: {', '.join(derived.not_read)}."
    yield f"Client: address {derived.address}, network {derived.network}."
    yield ""


def _standing(stands: Standing) -> Iterator[str]:
    yield f"Decisions in force on {stands.network}: {stands.outcome}"
    for one in stands.decisions:
        until = f"until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else "until somebody ends it"
        width = "exact" if one.is_exact else "wide"
        yield f"  {one.kind:8} {one.network:24} {width:5} {until}, {one.actor}: {one.reason}"
    yield "Limits of a caller not signed in (looking counts nothing):" + (
        f" {stands.why_no_limits}" if stands.why_no_limits else ""
    )
    for limit in stands.limits:
        yield _limit(limit)
    if stands.case is None:
        yield "Case: none."
    else:
        case = stands.case
        yield f"Case {case.id}: {case.triage}, {case.severity.lower()}, score {case.score}, {case.top_rule}."


def _limit(limit: LimitShown) -> str:
    notes = [limit.covers]
    if limit.only_failures:
        notes.append("failures only")
    if not limit.enforced:
        notes.append("in shadow")
    if limit.wait_s:
        notes.append(f"one more fits in {limit.wait_s} s")
    return f"  {limit.name:24} {limit.used} of {limit.limit} in any {limit.window_s} s ({', '.join(notes)})"


def _warnings(warnings: list[CheckMessage]) -> Iterator[str]:
    for warning in warnings:
        yield ""
        yield visible(f"Warning {warning.id}: {warning.msg}", 500)
        yield visible(f"  {warning.hint}", 500)


def _as_json(derived: Derivation | None, stands: Standing, warnings: list[CheckMessage]) -> dict[str, Any]:
    return {
        "derivation": asdict(derived) if derived else None,
        "standing": asdict(stands),
        "warnings": [{"id": one.id, "message": one.msg, "hint": one.hint} for one in warnings],
    }
