"""Makes the account hold what the code says: finds, compares, sends. Nothing is sent where nothing differs, so a second
run changes nothing, and a run that failed halfway is completed by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ParamSpec

from metrics import catalogue
from metrics.datadog import assets, find
from metrics.datadog.account import Account, Away, Refused, Trouble, printable
from metrics.datadog.alert import resolved
from metrics.datadog.assets import Asset, Kind
from metrics.datadog.diff import differences
from metrics.datadog.find import PATHS, Kept
from metrics.datadog.query import name
from metrics.datadog.widgets import Json

# With Datadog away, each further try would wait through its pauses: after so many in a row the rest is left.
MOST_AWAY = 3
P = ParamSpec("P")


@dataclass
class Sync:
    account: Account
    say: Callable[[str], None]
    write: bool
    prune: bool = False
    # Ask Datadog whether it would take each monitor, too.
    validate: bool = False
    done: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _ids: dict[str, str] = field(default_factory=dict)
    _away: int = 0

    def run(self) -> None:
        """Goes through everything; what failed is in `failures`, how much was done in `done`. Raises Trouble where
        nothing can be read at all.
        """
        kept = find.ours(self.account)
        wanted = assets.every()
        single = self._single(kept)
        self._ids = {key: each.id for (kind, key), each in single.items() if kind == "monitor"}
        for asset in wanted:
            if (asset.kind, asset.key) not in self._double(kept):
                self._try(f"{asset.kind} {asset.key}", self._asset, asset, single.get((asset.kind, asset.key)))
        self._stale(wanted, kept)
        self._metrics(wanted)

    def _single(self, kept: Iterable[Kept]) -> dict[tuple[Kind, str], Kept]:
        found = {(each.kind, each.key): each for each in kept}
        for kind, key in sorted(self._double(kept)):
            ids = ", ".join(each.id for each in kept if (each.kind, each.key) == (kind, key))
            # Which of them is meant, nobody here can know: a clone made by hand has the tags of the first.
            self._fail(f"{kind} {key}", f"there are several with this key ({ids}): delete all but one, or its key tag.")
            found.pop((kind, key))
        return found

    def _double(self, kept: Iterable[Kept]) -> set[tuple[Kind, str]]:
        times = Counter((each.kind, each.key) for each in kept)
        return {pair for pair, number in times.items() if number > 1}

    def _try(self, what: str, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        if self._away >= MOST_AWAY:
            self.done["not tried"] += 1
            return
        try:
            step(*args, **kwargs)
            self._away = 0
        except Away as away:
            self._away += 1
            self._fail(what, str(away))
        except Trouble as trouble:
            self._fail(what, str(trouble))

    def _fail(self, what: str, why: str) -> None:
        self.failures.append(what)
        self.say(f"! {what}: {why}")

    def _asset(self, asset: Asset, kept: Kept | None) -> None:
        body = self._with_ids(asset, kept)
        if self.validate and asset.kind == "monitor" and body["type"] != "composite":
            self.account.call("POST", "monitor/validate", body)
        if kept is None:
            self._create(asset, body)
        else:
            self._update(kept, body)

    def _with_ids(self, asset: Asset, kept: Kept | None) -> Json:
        if asset.body.get("type") != "composite":
            return asset.body
        body = {**asset.body, "query": resolved(asset.body["query"], self._ids)}
        if self.write and "{" in body["query"]:
            raise Trouble("a part of it is not there.")
        return body

    def _create(self, asset: Asset, body: Json) -> None:
        self.say(f"+ {asset.kind} {asset.key}: {printable(body.get('name') or body.get('title'))}")
        self.done["new"] += 1
        if not self.write:
            return
        made = _one(self.account.call("POST", PATHS[asset.kind], body))
        if asset.kind == "monitor":
            self._ids[asset.key] = str(made.get("id"))
        self._told_back(body, made)

    def _update(self, kept: Kept, body: Json) -> None:
        if not self._shows(f"{kept.kind} {kept.key} ({kept.id})", body, kept.body):
            return
        if self.write:
            made = _one(self.account.call("PUT", f"{PATHS[kept.kind]}/{kept.id}", body))
            self._told_back(body, made)

    def _shows(self, what: str, body: Json, there: Json) -> bool:
        """Tells what differs, and whether anything does."""
        found = list(differences(body, there))
        self.done["changed" if found else "same"] += 1
        if found:
            self.say(f"~ {what}")
        for difference in found:
            for line in difference.lines():
                self.say(f"    {line}")
        return bool(found)

    def _told_back(self, body: Json, made: Json) -> None:
        for difference in differences(body, made):
            self.say("    Datadog kept this in another way; each run will show and send it again:")
            for line in difference.lines():
                self.say(f"      {line}")

    def _stale(self, wanted: tuple[Asset, ...], kept: list[Kept]) -> None:
        keys = {(asset.kind, asset.key) for asset in wanted}
        stale = [each for each in kept if (each.kind, each.key) not in keys]
        # Datadog deletes no monitor that a composite names.
        for each in sorted(stale, key=lambda each: each.body.get("type") != "composite"):
            self._try(f"{each.kind} {each.key}", self._delete, each)

    def _delete(self, each: Kept) -> None:
        title = printable(each.body.get("name") or each.body.get("title"))
        reason = "no longer in code" if self.prune else "no longer in code; --prune deletes it"
        self.say(f"- {each.kind} {each.key} ({each.id}) {title}: {reason}")
        self.done["stale"] += 1
        if self.prune and self.write:
            self.account.call("DELETE", f"{PATHS[each.kind]}/{each.id}")
            self.done["deleted"] += 1

    def _metrics(self, wanted: tuple[Asset, ...]) -> None:
        wide = assets.with_percentiles(wanted)
        for metric in catalogue.ALL:
            self._try(f"metric {metric.name}", self._metric, name(metric), assets.metadata(metric), wide)

    def _metric(self, metric: str, told: Json, wide: list[str]) -> None:
        there = self._or_none("GET", f"metrics/{metric}")
        if there is None:
            self.done["not seen yet"] += 1  # Datadog knows a metric from its first number on
            return
        if self._shows(f"metric {metric}", told, there) and self.write:
            self.account.call("PUT", f"metrics/{metric}", told)
        if metric in wide:
            self._percentiles(metric)

    def _percentiles(self, metric: str) -> None:
        path = f"metrics/{metric}/tags"
        there = self._or_none("GET", path, version="v2")
        there = there and there["data"]["attributes"]
        if there and there.get("include_percentiles"):
            return
        self.say(f"~ metric {metric}: percentiles are not enabled")
        self.done["changed"] += 1
        if not self.write:
            return
        # An empty list of tags to leave out keeps all of them; a list of tags to keep would hide host, env, version.
        fresh = {"metric_type": "distribution", "tags": [], "exclude_tags_mode": True} if there is None else {}
        attributes = {**fresh, "include_percentiles": True}
        body = {"data": {"type": "manage_tags", "id": metric, "attributes": attributes}}
        self.account.call("POST" if there is None else "PATCH", path, body, version="v2")

    def _or_none(self, method: str, path: str, version: str = "v1") -> Json | None:
        try:
            return _one(self.account.call(method, path, version=version))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise


def _one(answer: object) -> Json:
    """Returns the object of an answer: SLOs come as a list of one, in `data`."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list) and answer["data"]:
        answer = answer["data"][0]
    if not isinstance(answer, dict):
        raise Trouble("Datadog's answer has another shape than is known here.")
    return answer
