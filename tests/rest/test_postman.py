"""docs/postman_collection.json, read and run by Postman's own programs against a running house."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pages.openapi import operations

from tests.npm import installed
from tests.required import require
from tests.run.house import House

COLLECTION = Path(__file__).resolve().parents[2] / "docs/postman_collection.json"


def items() -> list[dict[str, Any]]:
    return [item for folder in json.loads(COLLECTION.read_text("utf-8"))["item"] for item in folder["item"]]


def test_every_operation_is_a_request():
    _, described = operations()

    asked = {(item["request"]["method"], item["request"]["url"]["raw"]) for item in items()}
    wanted = {(each.method, "{{base_url}}" + each.path.replace("{", ":").replace("}", "")) for each in described}
    assert asked == wanted
    assert len(items()) == len(described)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What newman, Postman's runner, reports of all requests in their order, as the superuser of `make run`."""
    newman = installed("newman") / "bin/newman.js"
    node = require("node", "nodejs")
    directory = tmp_path_factory.mktemp("postman")
    with House(directory / "house") as house:
        variables = {
            "base_url": house.url,
            "username": house.find(r"/admin/ +(\S+) / "),
            "password": house.find(r"/admin/ +\S+ / (\S+)"),
        }
        given = [part for name, value in variables.items() for part in ("--env-var", f"{name}={value}")]
        report = directory / "report.json"
        command = [
            node,
            str(newman),
            "run",
            str(COLLECTION),
            *given,
            "-r",
            "json",
            "--reporter-json-export",
            str(report),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text("utf-8"))["run"]


@pytest.mark.slow
def test_each_request_is_sent_and_answered_as_the_document_says(ran):
    failures = [f"{each['source'].get('name')}: {each['error']['message']}" for each in ran["failures"]]

    assert failures == []
    assert ran["stats"]["requests"]["total"] == ran["stats"]["assertions"]["total"] == len(items())


@pytest.mark.slow
def test_the_login_keeps_its_token_for_the_requests_after_it(ran):
    statuses = {each["item"]["name"]: each["response"]["code"] for each in ran["executions"]}

    chosen = ("Sign in", "Renew a sign-in", "Your profile", "Add a product", "My cart", "Buy", "My orders", "Accounts")
    assert {name: statuses[name] for name in chosen} == {
        **dict.fromkeys(chosen, 200),
        "Add a product": 201,
        "Buy": 201,
    }
    assert 401 not in [status for name, status in statuses.items() if name != "Sign out"]
