"""`make run`, for real: started, used, attacked, stopped, killed."""

from __future__ import annotations

import os
import pty
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from tests.run.house import BASE_DIR, House, environment, run_once

pytestmark = pytest.mark.slow

LOGIN = "/api/v1/auth/token/"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as running:
        yield running


def rows(house: House, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(house.var / "sentinel.sqlite3")) as database:
        return database.execute(query).fetchall()


def guess(house: House, client: str) -> int:
    answer = requests.post(
        house.url + LOGIN,
        json={"username": "ada", "password": "wrong"},
        headers={"X-Forwarded-For": client},
        timeout=10,
    )
    return answer.status_code


def test_every_printed_address_answers(house: House) -> None:
    for path in re.findall(re.escape(house.url) + r"(/[a-z0-9/]*)(?= |\n|$)", house.text):
        if path != LOGIN:
            assert house.get(path).status_code == 200, path
    assert house.get("/api/v1/products/").json()["count"] == 60
    assert (house.var / "log" / "web.log").exists()


def test_pages_come_with_their_style_sheets(house: House) -> None:
    sheet = re.search(r'href="(/static/[^"]+\.css)"', house.get("/admin/login/").text)

    assert sheet
    assert house.get(sheet[1]).status_code == 200


def test_the_printed_password_opens_the_admin(house: House) -> None:
    page = house.log_in_to_admin().get(f"{house.url}/admin/", timeout=10)

    assert page.url.endswith("/admin/")
    assert "Log out" in page.text


def test_a_printed_customer_can_sign_in(house: House) -> None:
    password = house.find(r"Customers .*/ (\S+)")

    answer = requests.post(house.url + LOGIN, json={"username": "ada", "password": password}, timeout=10)

    assert answer.status_code == 200


def test_the_printed_attack_is_held_filed_and_blocked_and_locks_nobody_else_out(house: House) -> None:
    statuses = [guess(house, "203.0.113.9") for _ in range(12)]

    deadline = time.monotonic() + 10
    while house.get("/healthz", headers={"X-Forwarded-For": "203.0.113.9"}).status_code != 200:
        pass
    while (status := guess(house, "203.0.113.9")) != 403 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert statuses.count(401) <= 10
    assert set(statuses) <= {401, 429, 403}
    assert status == 403
    assert rows(house, "SELECT count(*) FROM ip_tracking_suspiciousip") == [(1,)]
    assert house.get("/api/v1/products/").status_code == 200
    page = house.log_in_to_admin().get(f"{house.url}/admin/ip_tracking/suspiciousip/", timeout=10)
    assert "203.0.113.9" in page.text


def test_secrets_are_for_their_owner_only(house: House) -> None:
    files = ["secret-key", "staff-password", "customer-password"]

    assert {name: oct((house.var / name).stat().st_mode & 0o777) for name in files} == dict.fromkeys(files, "0o600")


def test_a_second_run_beside_it_is_told_so_in_one_line(house: House) -> None:
    second = run_once(house.var)

    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == (
        f"Sentinel runs here already: press Ctrl-C in its terminal, or `kill {house.process.pid}`.\n"
    )
    assert house.get("/healthz").status_code == 200


def test_ctrl_c_stops_all_of_it_and_a_second_run_has_the_same_data(tmp_path: Path) -> None:
    with House(tmp_path) as first:
        password = first.find(r"/admin/ +\S+ / (\S+)")
        assert [guess(first, "203.0.113.7") for _ in range(3)] == [401] * 3
        assert first.send(signal.SIGINT) == 0
        assert first.alive() == []

    # What was answered just before the Ctrl-C was sent to the worker, stored, or waits for this run.
    with House(tmp_path) as second:
        assert second.find(r"/admin/ +\S+ / (\S+)") == password
        assert second.get("/api/v1/products/").json()["count"] == 60
        deadline = time.monotonic() + 10
        stored = "SELECT count(*) FROM ip_tracking_requestlog WHERE network = '203.0.113.7'"
        while rows(second, stored) != [(3,)] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert rows(second, stored) == [(3,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_a_closed_terminal_stop_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    with House(tmp_path) as house:
        assert house.send(number) == 0
        assert house.alive() == []


def test_a_terminal_that_closes_under_make_stops_all_of_it(tmp_path: Path) -> None:
    """make is the terminal's first process here: it alone gets SIGHUP, and it waits."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(BASE_DIR)
        command = ["make", "run", "INSTALLED=@:", f"PY={sys.executable}"]
        os.execve("/usr/bin/make", command, environment(tmp_path))  # noqa: S606
    text = b""
    while b"Ctrl-C stops everything." not in text:
        text += os.read(terminal, 4096)
    children = psutil.Process(pid).children(recursive=True)

    os.close(terminal)

    os.waitpid(pid, 0)
    assert len(children) >= 5
    assert psutil.wait_procs(children, timeout=10)[1] == []


@pytest.mark.parametrize(("program", "name"), [("events@%h", "events"), ("valkey-server", "valkey")])
def test_a_part_that_ends_by_itself_stops_the_rest_and_names_its_log(tmp_path: Path, program: str, name: str) -> None:
    with House(tmp_path) as house:
        house.child(program).kill()

        assert house.end() == 1
        assert house.alive() == []
        log = tmp_path / "log" / f"{name}.log"
        assert f"{name} ended by itself (SIGKILL), so all is stopped. Its log: {log}" in house.text


def test_what_a_killed_supervisor_leaves_behind_is_no_obstacle(tmp_path: Path) -> None:
    with House(tmp_path) as killed:
        killed.process.kill()
        killed.process.wait()

        with House(tmp_path) as following:
            assert following.get("/healthz").status_code == 200
            assert killed.alive() == []


def test_beat_does_not_outlive_a_killed_worker(tmp_path: Path) -> None:
    """Nobody is left who would ask it to end."""
    with House(tmp_path) as house:
        worker = house.child("default@%h")
        (beat,) = worker.children()
        worker.suspend()  # it gets no chance to
        house.process.kill()
        worker.kill()

        assert psutil.wait_procs([beat], timeout=10)[1] == []


def test_a_password_chosen_in_the_admin_is_not_shown_wrongly(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        session = house.log_in_to_admin()
        page = f"{house.url}/admin/password_change/"
        session.get(page, timeout=10)
        old = house.find(r"/admin/ +\S+ / (\S+)")
        session.post(
            page,
            data={
                "old_password": old,
                "new_password1": "my own long password",
                "new_password2": "my own long password",
                "csrfmiddlewaretoken": session.cookies["csrftoken"],
            },
            timeout=10,
        )
        house.send(signal.SIGINT)

    with House(tmp_path) as following:
        assert "admin / (the password you gave it)" in following.text
