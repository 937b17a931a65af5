"""Datadog's API for the tests, on a real socket: what of it `datadog_sync` uses, as the documentation and the recorded
answers of Datadog's own clients show it. It gives ids, adds fields of its own, keeps no order of tags, pages its lists,
refuses what Datadog refuses, and fails when told to.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

API_KEY, APP_KEY = "the-api-key-of-the-tests", "the-application-key-of-the-tests"
Json = dict[str, Any]
DASHBOARD_SUMMARY = ("id", "title", "description", "layout_type", "is_read_only", "url")


class Says(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status)
        self.status, self.body = status, {"errors": list(errors)}


@dataclass
class Fault:
    """How the next calls of a kind are answered instead."""

    method: str
    path: str  # an expression
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"errors": ["as the test said"]}'
    # The thing is done, and its answer is lost.
    done_all_the_same: bool = False
    # Nothing is answered before this is set.
    until: threading.Event | None = None


class Datadog:
    """The account. Tests look at it, and change it as somebody in the browser would."""

    def __init__(self) -> None:
        self.monitors: dict[str, Json] = {}
        self.slos: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.metrics: dict[str, Json] = {}
        self.tag_configurations: dict[str, Json] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.host = ""
        self._ids = count(1_000)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.calls if method != "GET" and path != "v1/monitor/validate"]

    def fail(self, method: str, path: str, status: int, **more: Any) -> None:
        self.faults.append(Fault(method, path, status, **more))

    def keyed(self, things: dict[str, Json], key: str) -> Json:
        """Returns the one thing with this key."""
        (found,) = (each for each in things.values() if f"key:{key}" in each["tags"])
        return found

    def answer(self, method: str, path: str, asked: dict[str, str], body: Json) -> tuple[int, Any]:
        for shape, answers in ROUTES:
            found = re.fullmatch(shape, path)
            if found and method in answers:
                return 200, copy.deepcopy(answers[method](self, body, asked, *found.groups()))
        raise Says(404, "Not found")

    # Monitors

    def list_monitors(self, body: Json, asked: dict[str, str]) -> list[Json]:
        tags = set(filter(None, asked.get("monitor_tags", "").split(",")))
        # Any of them: whether Datadog means all is not documented, so ours must look for itself.
        found = [each for each in self.monitors.values() if not tags or tags & set(each["tags"])]
        size = int(asked.get("page_size", 100))
        return found[int(asked["page"]) * size :][:size] if "page" in asked else found

    def make_monitor(self, body: Json, asked: dict[str, str]) -> Json:
        self.judge(body, asked)
        made = {
            **body,
            "id": next(self._ids),
            "created": "2026-11-21T00:00:00+00:00",
            "creator": {"id": 7, "handle": "somebody@example.com"},
            "multi": " by {" in body["query"],
            "overall_state": "No Data",
            "deleted": None,
        }
        self.monitors[str(made["id"])] = made
        return self._settled(made)

    def change_monitor(self, body: Json, asked: dict[str, str], it: str) -> Json:
        there = self._there(self.monitors, it)
        self.judge({**there, **body}, asked)
        there.update(body)
        return self._settled(there)

    def _settled(self, monitor: Json) -> Json:
        simple = monitor["type"] == "query alert" and not re.search(r"[/*+]|anomalies|pct_change", monitor["query"])
        if simple:
            monitor["type"] = "metric alert"
        monitor["tags"] = sorted(monitor["tags"], reverse=True)
        monitor["options"] = {"silenced": {}, "new_host_delay": 300, "locked": False, **monitor["options"]}
        return monitor

    def judge(self, body: Json, asked: dict[str, str]) -> Json:
        if body["type"] == "composite":
            ids = re.findall(r"\w[\w-]*", body["query"])
            if not all(each in self.monitors for each in ids):
                raise Says(400, f"The value provided for parameter 'query' is invalid: {body['query']}")
        elif body["type"] != "service check":
            limit = re.search(r"[<>]=? (-?[\d.]+)$", body["query"])
            if limit is None:
                raise Says(400, "The value provided for parameter 'query' is invalid: invalid operator specified: ")
            if float(limit[1]) != body["options"]["thresholds"]["critical"]:
                raise Says(400, "Alert threshold does not match that used in the query.")
        return {}

    def delete_monitor(self, body: Json, asked: dict[str, str], it: str) -> Json:
        self._there(self.monitors, it)
        if any(each["type"] == "composite" and it in each["query"].split() for each in self.monitors.values()):
            raise Says(400, f"monitor [{id}] is referenced in composite monitors")
        del self.monitors[it]
        return {"deleted_monitor_id": int(it)}

    # SLOs

    def list_slos(self, body: Json, asked: dict[str, str]) -> Json:
        found = [each for each in self.slos.values() if asked.get("tags_query", "") in ["", *each["tags"]]]
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 1000))
        page = {"total_count": len(self.slos), "total_filtered_count": len(found)}
        return {"data": found[offset:][:limit], "errors": [], "metadata": {"page": page}}

    def make_slo(self, body: Json, asked: dict[str, str]) -> Json:
        made = {**body, "id": f"{next(self._ids):032x}", "created_at": 1, "modified_at": 1, "groups": None}
        made["thresholds"] = [{**each, "target_display": f"{each['target']}"} for each in body["thresholds"]]
        self.slos[made["id"]] = made
        return {"data": [made], "error": None}

    def change_slo(self, body: Json, asked: dict[str, str], it: str) -> Json:
        self._there(self.slos, it).update(body)
        return {"data": [self.slos[it]], "error": None}

    def delete_slo(self, body: Json, asked: dict[str, str], it: str) -> Json:
        self._there(self.slos, it)
        del self.slos[it]
        return {"data": [it], "error": None}

    # Dashboards

    def list_dashboards(self, body: Json, asked: dict[str, str]) -> Json:
        start, size = int(asked.get("start", 0)), int(asked.get("count", 1000))
        found = [{name: each.get(name) for name in DASHBOARD_SUMMARY} for each in self.dashboards.values()]
        return {"dashboards": found[start:][:size]}

    def make_dashboard(self, body: Json, asked: dict[str, str]) -> Json:
        it = f"abc-{next(self._ids)}-xyz"
        made = {**body, "id": it, "url": f"/dashboard/{it}", "author_handle": "somebody@example.com"}
        made |= {"is_read_only": False, "notify_list": [], "restricted_roles": []}
        made["widgets"] = [{**each, "id": next(self._ids)} for each in body["widgets"]]
        self.dashboards[it] = made
        return made

    def get_dashboard(self, body: Json, asked: dict[str, str], it: str) -> Json:
        return self._there(self.dashboards, it)

    def change_dashboard(self, body: Json, asked: dict[str, str], it: str) -> Json:
        self._there(self.dashboards, it).update(body)
        return self.dashboards[it]

    def delete_dashboard(self, body: Json, asked: dict[str, str], it: str) -> Json:
        self._there(self.dashboards, it)
        del self.dashboards[it]
        return {"deleted_dashboard_id": it}

    # Metrics

    def get_metric(self, body: Json, asked: dict[str, str], name: str) -> Json:
        return self._there(self.metrics, name)

    def change_metric(self, body: Json, asked: dict[str, str], name: str) -> Json:
        self._there(self.metrics, name).update(body)
        return self.metrics[name]

    def get_tags(self, body: Json, asked: dict[str, str], name: str) -> Json:
        return self._tags(name, self._there(self.tag_configurations, name))

    def make_tags(self, body: Json, asked: dict[str, str], name: str) -> Json:
        if name in self.tag_configurations:
            raise Says(409, "already exists")
        self._there(self.metrics, name)
        self.tag_configurations[name] = body["data"]["attributes"]
        return self._tags(name, self.tag_configurations[name])

    def change_tags(self, body: Json, asked: dict[str, str], name: str) -> Json:
        self._there(self.tag_configurations, name).update(body["data"]["attributes"])
        return self._tags(name, self.tag_configurations[name])

    def _tags(self, name: str, attributes: Json) -> Json:
        return {"data": {"type": "manage_tags", "id": name, "attributes": attributes}}

    def _there(self, things: dict[str, Json], it: str) -> Json:
        if it not in things:
            raise Says(404, f"{it} not found")
        return things[it]


Route = dict[str, Callable[..., Any]]
ROUTES: list[tuple[str, Route]] = [
    ("v1/monitor", {"GET": Datadog.list_monitors, "POST": Datadog.make_monitor}),
    ("v1/monitor/validate", {"POST": Datadog.judge}),
    (r"v1/monitor/(\d+)", {"PUT": Datadog.change_monitor, "DELETE": Datadog.delete_monitor}),
    ("v1/slo", {"GET": Datadog.list_slos, "POST": Datadog.make_slo}),
    (r"v1/slo/(\w+)", {"PUT": Datadog.change_slo, "DELETE": Datadog.delete_slo}),
    ("v1/dashboard", {"GET": Datadog.list_dashboards, "POST": Datadog.make_dashboard}),
    (
        r"v1/dashboard/([\w-]+)",
        {"GET": Datadog.get_dashboard, "PUT": Datadog.change_dashboard, "DELETE": Datadog.delete_dashboard},
    ),
    (r"v1/metrics/([\w.]+)", {"GET": Datadog.get_metric, "PUT": Datadog.change_metric}),
    (
        r"v2/metrics/([\w.]+)/tags",
        {"GET": Datadog.get_tags, "POST": Datadog.make_tags, "PATCH": Datadog.change_tags},
    ),
]


@contextlib.contextmanager
def running() -> Iterator[Datadog]:
    """Serves an empty account until the block ends."""
    account = Datadog()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(account))
    server.daemon_threads = True
    account.host = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(account: Datadog) -> type[BaseHTTPRequestHandler]:
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet for each answer: two would wait for one another's acknowledgement, 40 ms a call.
        wbufsize = -1

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/api/")
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with turn:
                account.calls.append((self.command, path))
                fault = self._fault(path)
            if fault and fault.until:
                fault.until.wait(20)
                self.close_connection = True
                return
            if fault and not fault.done_all_the_same:
                self._say(fault.status, fault.body, fault.headers)
                return
            with turn:
                status, answer = self._answer(path, asked, sent)
            if fault:
                status, answer = fault.status, json.loads(fault.body)
            self._say(status, json.dumps(answer), {})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of http.server

        def _fault(self, path: str) -> Fault | None:
            for fault in account.faults:
                if fault.times and fault.method == self.command and re.fullmatch(fault.path, path):
                    fault.times -= 1
                    return fault
            return None

        def _answer(self, path: str, asked: dict[str, str], sent: bytes) -> tuple[int, Any]:
            try:
                keys = (self.headers.get("DD-API-KEY"), self.headers.get("DD-APPLICATION-KEY"))
                if keys != (API_KEY, APP_KEY):
                    raise Says(403, "Forbidden")
                return account.answer(self.command, path, asked, json.loads(sent or b"{}"))
            except Says as says:
                return says.status, says.body

        def _say(self, status: int, body: str, headers: dict[str, str]) -> None:
            sent = body.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
