"""Real workers of a project that is not ours, each pool there is: every task is told of, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from metrics.catalogue import BEAT_LAG, TASK_DURATION, TASK_WAIT, TASKS
from tests.dogstatsd import Receiver
from tests.e2e.processes import running
from tests.metrics.test_process import FOREIGN, environment

PREFIX = "celery-stats-test:"
PROJECT = (
    FOREIGN
    + f"""
from celery import Celery
from celery.exceptions import Ignore, Reject

app = Celery("project", broker=os.environ["CELERY_BROKER_URL"])
app.conf.task_default_queue = "chores"
app.conf.task_routes = {{"project.urgent": "errands"}}
app.conf.broker_transport_options = {{"global_keyprefix": {PREFIX!r}}}
app.conf.beat_schedule = {{"tick": {{"task": "project.tick", "schedule": 1.0}}}}
"""
    + """
@app.task
def add(): return 2

@app.task
def urgent(): pass

@app.task
def tick(): pass

@app.task
def fail(): raise ValueError

@app.task(bind=True, max_retries=1, default_retry_delay=0)
def again(self): self.retry()

@app.task(acks_late=True)
def reject(): raise Reject("no", requeue=False)

@app.task
def ignore(): raise Ignore

@app.task(time_limit=1)
def hang(): time.sleep(60)

@app.task
def die(): os._exit(1)
"""
)

pytestmark = pytest.mark.skipif("CELERY_BROKER_URL" not in os.environ, reason="needs the broker of tests.services")


@pytest.fixture
def transport() -> str:
    return "unix"


class Project:
    def __init__(self, directory: Path, agent: Receiver) -> None:
        self.directory = directory
        (directory / "project.py").write_text(PROJECT)
        self._env = environment(agent)
        self._env["PYTHONPATH"] += f":{directory}"

    def run(self, code: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", f"from project import *\n{code}"],
            env=self._env, cwd=self.directory, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def worker(self, name: str, *options: str):
        queues = ["-Q", "chores,errands", "--without-gossip", "--without-mingle", "-n", name, "-l", "WARNING"]
        return self.celery(name, "worker", *queues, *options)

    def celery(self, name: str, *arguments: str):
        return running(
            [sys.executable, "-m", "celery", "-A", "project", *arguments], self._env, self.directory / f"{name}.log"
        )


@pytest.fixture
def project(tmp_path: Path, agent: Receiver) -> Iterator[Project]:
    yield Project(tmp_path, agent)
    with redis.Redis.from_url(
        os.environ["CELERY_BROKER_URL"].replace("redis+socket", "unix").replace("virtual_host", "db")
    ) as broker:
        for key in broker.scan_iter(f"{PREFIX}*"):
            broker.delete(key)


@pytest.mark.parametrize(
    "pool",
    [
        pytest.param(["prefork", "-c", "2", "--max-tasks-per-child", "5"], id="prefork"),
        pytest.param(["threads", "-c", "2"], id="threads", marks=pytest.mark.slow),
        pytest.param(["solo"], id="solo", marks=pytest.mark.slow),
    ],
)
def test_as_many_tasks_are_told_of_as_were_sent(pool: list[str], project: Project, agent: Receiver) -> None:
    """Two workers, processes of the pool that end after five tasks, and a warm shutdown."""
    project.run("for _ in range(40): add.delay(); urgent.delay()")

    with project.worker("one", "-P", *pool), project.worker("two", "-P", *pool):
        agent.wait_for(lambda: agent.total(TASKS) >= 80, deadline_s=60)

    assert agent.total(TASKS, task="project.add", queue="chores", state="success") == 40
    assert agent.total(TASKS, task="project.urgent", queue="errands", state="success") == 40
    assert agent.total(TASKS) == 80
    assert len(agent.values(TASK_DURATION)) == 80
    assert len(agent.values(TASK_WAIT, queue="errands")) == 40
    assert all(0 <= waited < 120 for waited in agent.values(TASK_WAIT))


@pytest.mark.parametrize(
    "pool", ["prefork", *(pytest.param(pool, marks=pytest.mark.slow) for pool in ("threads", "solo"))]
)
def test_every_way_to_end_has_its_name_and_is_told_once(pool: str, project: Project, agent: Receiver) -> None:
    project.run(
        """
for task in (add, fail, again, reject, ignore): task.delay()
add.apply_async(expires=-1)
app.send_task("project.nobody")
with app.connection_for_write() as connection:
    connection.SimpleQueue("chores").put({"not": "a task"})
"""
    )
    once = {
        ("project.add", "success"), ("project.fail", "failure"), ("project.again", "retry"),
        ("project.again", "failure"), ("project.reject", "rejected"), ("project.ignore", "ignored"),
        ("project.add", "expired"), ("unknown", "unknown"), ("unknown", "rejected"), ("project.add", "revoked"),
    }  # fmt: skip

    with project.worker("one", "-P", pool, "-c", "1"):
        agent.wait_for(lambda: agent.total(TASKS) >= 9, deadline_s=60)
        project.run("app.control.revoke(add.apply_async(countdown=2).id)")
        agent.wait_for(lambda: agent.total(TASKS) >= 10, deadline_s=60)

    told = {(sample.tags["task"], sample.tags["state"]) for sample in agent.samples(TASKS)}
    assert {(task, state): agent.total(TASKS, task=task, state=state) for task, state in told} == dict.fromkeys(once, 1)
    assert {sample.tags["queue"] for sample in agent.samples(TASKS)} == {"chores"}


def test_a_task_that_took_its_process_with_it_is_told_once(project: Project, agent: Receiver) -> None:
    project.run("hang.delay(); die.delay()")

    with project.worker("one", "-P", "prefork", "-c", "1"):
        agent.wait_for(lambda: agent.total(TASKS) >= 2, deadline_s=60)

    assert agent.total(TASKS, task="project.hang", queue="chores", state="timeout") == 1
    assert agent.total(TASKS, task="project.die", queue="chores", state="lost") == 1
    assert agent.total(TASKS) == 2


def test_a_task_waits_only_from_the_time_it_was_meant_for(project: Project, agent: Receiver) -> None:
    with project.worker("one", "-P", "threads", "-c", "1"):
        project.run("add.delay()")
        agent.wait_for(lambda: len(agent.values(TASK_WAIT)) == 1, deadline_s=60)
        project.run("add.apply_async(countdown=5)")
        agent.wait_for(lambda: len(agent.values(TASK_WAIT)) == 2, deadline_s=60)

    assert agent.values(TASK_WAIT)[1] < 4  # Celery looks about once a second whose time has come


def test_beat_says_when_a_task_was_due(project: Project, agent: Receiver) -> None:
    project.run("add.delay()")

    beat = project.celery("beat", "beat", "--schedule", str(project.directory / "schedule"))
    with project.worker("one", "-P", "threads", "-c", "1"), beat:
        agent.wait_for(lambda: len(agent.values(BEAT_LAG)) >= 3, deadline_s=60)

    assert {sample.tags["task"] for sample in agent.samples(BEAT_LAG)} == {"project.tick"}
    assert all(0 <= lag < 30 for lag in agent.values(BEAT_LAG))
