"""The staff's page about health: what each probe asks, what it found, what that means, and whom to ask for what."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from metrics import conf
from metrics.probes import BROKER, DATABASE, REDIS, Part
from metrics.readiness import Finding, Report, readiness


@dataclass(frozen=True, slots=True)
class Explained:
    part: Part
    title: str
    asks: str
    fails: str
    do: str


EXPLAINED = (
    Explained(
        DATABASE,
        "Database",
        "A new connection, and SELECT 1 on it. Each database of the project is asked; the worst counts.",
        "Pages that read or write answer 500, and nobody can sign in. Limits and decisions hold on, out of Redis and "
        "memory. Events wait in the broker. A new connection can also be refused for want of room while the old ones "
        "work.",
        "Look at the server and its number of connections, then whether this host reaches it. Nothing here needs a "
        "restart when it is back.",
    ),
    Explained(
        REDIS,
        "Redis",
        "A new connection, and PING. Each server of METRICS['REDIS_URLS'] is asked; the worst counts.",
        "The shop goes on. Each policy answers as its store_away says: open, counted in each process, or 503. Caches "
        "miss, sessions are read from the database, blocks of single networks do not bind.",
        "Look at the server's memory and log. Limits hold again within two seconds of its return, and decisions are "
        "filled in again from the database.",
    ),
    Explained(
        BROKER,
        "Broker",
        "A new connection, the sign-in, and a channel as messages are sent on. No message is sent, so a broker that "
        "takes none for want of memory or disk passes for well.",
        "The shop goes on, and limits and blocks bind. Events wait on disk in SPOOL_DIR, so new attackers are found "
        "late, and the hourly tasks do not run.",
        "Look at the broker's memory, disk and log. What was spooled is sent within seconds of its return.",
    ),
)

MEANING = {
    "ok": "answers",
    "slow": "answers slowly",
    "failed": "does not answer",
}


@dataclass(frozen=True, slots=True)
class Row:
    explained: Explained
    finding: Finding | None
    all: tuple[Finding, ...]
    is_needed: bool

    @property
    def meaning(self) -> str:
        return MEANING[self.finding.state] if self.finding is not None else "not part of this project"


def _page(request: HttpRequest) -> HttpResponse:
    report = readiness.look()
    needs = conf.current().ready_needs
    shown = {"title": "Health", "report": report, "rows": [_row(report, one, needs) for one in EXPLAINED]}
    return TemplateResponse(request, "metrics/health.html", {**admin.site.each_context(request), **shown})


def _row(report: Report, explained: Explained, needs: tuple[str, ...]) -> Row:
    mine = tuple(found for found in report.findings if found.probe.part is explained.part)
    return Row(explained, report.of(explained.part), mine, explained.part.name in needs)


# For staff, as every page of the admin: who has not signed in is sent to do so.
health_page = admin.site.admin_view(_page)
