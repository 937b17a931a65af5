"""Which monitors, SLOs and dashboards of the account are ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from metrics import conf
from metrics.datadog.account import Account, Trouble
from metrics.datadog.assets import Kind
from metrics.datadog.widgets import Json

PAGE = 100
PATHS: dict[Kind, str] = {"monitor": "monitor", "slo": "slo", "dashboard": "dashboard"}
_MARK = re.compile(r"\[managed-by:code namespace:(\S+) key:(\S+)\]")


@dataclass(frozen=True, slots=True)
class Kept:
    """One of ours as Datadog has it."""

    kind: Kind
    key: str
    id: str
    body: Json


def ours(account: Account) -> list[Kept]:
    """Returns all of ours; two may have one key, where somebody cloned one."""
    return [*_monitors(account), *_slos(account), *_dashboards(account)]


def _monitors(account: Account) -> Iterator[Kept]:
    tags = f"managed-by:code,namespace:{_namespace()}"
    pages = _pages(lambda page: account.call("GET", "monitor", monitor_tags=tags, page=page, page_size=PAGE))
    yield from (Kept("monitor", key, str(each["id"]), each) for each in pages if (key := _key(each)))


def _slos(account: Account) -> Iterator[Kept]:
    def page(number: int) -> Any:
        tag = f"namespace:{_namespace()}"  # it takes one only
        answer = account.call("GET", "slo", tags_query=tag, offset=number * PAGE, limit=PAGE)
        return answer["data"]

    yield from (Kept("slo", key, str(each["id"]), each) for each in _pages(page) if (key := _key(each)))


def _dashboards(account: Account) -> Iterator[Kept]:
    pages = _pages(lambda page: account.call("GET", "dashboard", count=PAGE, start=page * PAGE)["dashboards"])
    for each in pages:
        found = _MARK.search(each.get("description") or "")
        if found and found[1] == _namespace():
            # The list has no widgets.
            yield Kept("dashboard", found[2], str(each["id"]), account.call("GET", f"dashboard/{each['id']}"))


def _pages(page: Callable[[int], Any]) -> Iterator[Json]:
    """Yields what all pages hold. The end is a page with nothing new: also where a server gives all at once."""
    seen: set[str] = set()
    number = 0
    while True:
        try:
            new = [each for each in page(number) if str(each["id"]) not in seen]
        except (TypeError, KeyError):
            raise Trouble("Datadog's list has another shape than is known here.") from None
        if not new:
            return
        seen.update(str(each["id"]) for each in new)
        yield from new
        number += 1


def _key(body: Json) -> str | None:
    tags = set(body.get("tags") or ())
    if not {"managed-by:code", f"namespace:{_namespace()}"} <= tags:
        return None
    keys = [tag.removeprefix("key:") for tag in tags if tag.startswith("key:")]
    return keys[0] if len(keys) == 1 else None


def _namespace() -> str:
    return conf.current().namespace
