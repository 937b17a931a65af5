"""Whole processes of a project that is not ours: what waits in one is sent when it ends, once."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from metrics.catalogue import BATCHES_SPOOLED, EVENTS_STORED, REQUEST_DURATION
from tests.dogstatsd import Receiver

ROOT = Path(__file__).resolve().parents[2]
# A foreign project: the app, its dictionary, and nothing of ours beside it.
FOREIGN = """
import atexit, os, sys, threading, time
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["metrics"], METRICS={"STRICT": True})
django.setup()
"""
EMIT = """
from metrics import emit
from metrics.catalogue import BATCHES_SPOOLED, EVENTS_STORED, REQUEST_DURATION
"""


def run(code: str, agent: Receiver, before: str = "") -> subprocess.CompletedProcess[str]:
    # The flush every 0.3 s could hide what the exit does not send; most of these processes live for less.
    done = subprocess.run(
        [sys.executable, "-c", before + FOREIGN + EMIT + textwrap.dedent(code)],
        env=environment(agent),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done


def environment(agent: Receiver) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DD_", "DJANGO_", "PYTHON"))}
    return {**kept, **agent.environ, "PYTHONPATH": str(ROOT)}


def test_nothing_is_lost_when_a_process_ends(agent: Receiver) -> None:
    run(
        """
        for _ in range(300):
            emit.count(EVENTS_STORED, 2)
            emit.distribution(REQUEST_DURATION, 0.5, route="a", method="GET", status_class="2xx")
        """,
        agent,
    )

    assert agent.total(EVENTS_STORED) == 600
    assert len(agent.values(REQUEST_DURATION)) == 300


def test_what_exit_handlers_count_is_sent_whenever_they_were_registered(agent: Receiver) -> None:
    run(
        """
        emit.count(EVENTS_STORED, 1)
        atexit.register(lambda: emit.count(EVENTS_STORED, 10))
        """,
        agent,
        before="import atexit\natexit.register(lambda: emit.count(EVENTS_STORED, 100))",
    )

    assert agent.total(EVENTS_STORED) == 111


def test_a_process_that_never_counted_starts_no_thread(agent: Receiver) -> None:
    done = run("print(threading.active_count())", agent)

    assert done.stdout == "1\n"
    assert agent.read() == []


def test_a_process_that_counts_starts_one_thread(agent: Receiver) -> None:
    """None of the library's: each would be woken by requests."""
    done = run(
        """
        emit.count(EVENTS_STORED)
        print(sorted((thread.name, thread.daemon) for thread in threading.enumerate()))
        """,
        agent,
    )

    assert done.stdout == "[('MainThread', False), ('sentinel-metrics', True)]\n"


def test_a_fork_doubles_nothing_and_loses_nothing(agent: Receiver) -> None:
    run(
        """
        emit.count(EVENTS_STORED, 5)  # still waiting in the parent when the child begins
        emit.distribution(REQUEST_DURATION, 0.5, route="parent", method="GET", status_class="2xx")
        child = os.fork()
        if child == 0:
            emit.count(EVENTS_STORED, 20)
            emit.distribution(REQUEST_DURATION, 0.5, route="child", method="GET", status_class="2xx")
            sys.exit()
        os.waitpid(child, 0)
        emit.count(EVENTS_STORED, 100)
        """,
        agent,
    )

    assert agent.total(EVENTS_STORED) == 125
    assert len(agent.values(REQUEST_DURATION, route="parent")) == 1
    assert len(agent.values(REQUEST_DURATION, route="child")) == 1


def test_forks_amid_busy_threads_are_exact_and_wait_for_no_flush(agent: Receiver) -> None:
    """With the library's own fork hooks each fork waits 0.3 s, and half-gathered counts are sent by both."""
    done = run(
        """
        sys.setswitchinterval(0.00001)  # else a burst would be over before the fork
        together = threading.Barrier(3)
        def work():
            for _ in range(20):
                together.wait()
                for _ in range(1000):
                    emit.count(EVENTS_STORED)
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        forking_s = 0
        for _ in range(20):
            together.wait()
            time.sleep(0.0003)
            started = time.perf_counter()
            child = os.fork()
            if child == 0:
                emit.count(BATCHES_SPOOLED)
                emit.flush()
                os._exit(0)
            forking_s += time.perf_counter() - started
            os.waitpid(child, 0)
        for thread in threads:
            thread.join()
        print(forking_s)
        """,
        agent,
    )

    assert agent.total(EVENTS_STORED) == 40_000
    assert agent.total(BATCHES_SPOOLED) == 20
    assert float(done.stdout) < 2


def test_a_fork_while_another_thread_builds_the_client_does_not_hang_the_child(agent: Receiver) -> None:
    run(
        """
        import signal
        from metrics import client
        with client._building:  # as a thread would that the child will not have
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                emit.count(EVENTS_STORED)
                emit.flush()
                os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.exit(status)
        """,
        agent,
    )

    assert agent.total(EVENTS_STORED) == 1


CHILDREN = """
import django
from django.conf import settings
if not settings.configured:
    settings.configure(INSTALLED_APPS=["metrics"], METRICS={"STRICT": True})
    django.setup()
from metrics import emit
from metrics.catalogue import EVENTS_STORED

def work():
    emit.count(EVENTS_STORED, 10)
"""


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_nothing_is_lost_or_doubled_when_a_child_of_multiprocessing_ends(
    start: str, agent: Receiver, tmp_path: Path
) -> None:
    """It ends by os._exit when it was forked."""
    (tmp_path / "children.py").write_text(CHILDREN)

    run(
        f"""
        emit.count(EVENTS_STORED)  # still waiting when the child begins
        import multiprocessing
        import children
        child = multiprocessing.get_context({start!r}).Process(target=children.work)
        child.start()
        child.join()
        """,
        agent,
        before=f"import sys\nsys.path.insert(0, {str(tmp_path)!r})",
    )

    assert agent.total(EVENTS_STORED) == 11


WORKER = (
    FOREIGN
    + """
from celery import Celery
app = Celery("foreign", broker=os.environ["CELERY_BROKER_URL"])
app.conf.task_default_queue = "metrics-test"
app.conf.broker_transport_options = {"global_keyprefix": "metrics-test:"}
app.autodiscover_tasks(["metrics"], force=True)
"""
    + EMIT
    + """
@app.task(ignore_result=True)
def store():
    emit.count(EVENTS_STORED)
"""
)


@pytest.mark.skipif("CELERY_BROKER_URL" not in os.environ, reason="needs the broker of tests.services")
def test_nothing_is_lost_when_a_celery_worker_process_ends(agent: Receiver, tmp_path: Path) -> None:
    """Each process of the pool ends right after its one task, by os._exit."""
    (tmp_path / "foreign.py").write_text(WORKER)
    env = environment(agent)
    env["PYTHONPATH"] += f":{tmp_path}"
    send = "import foreign\nfor _ in range(2): foreign.store.delay()"
    subprocess.run([sys.executable, "-c", send], env=env, cwd=tmp_path, timeout=60, check=True)
    options = ["worker", "-P", "prefork", "-c", "1", "--max-tasks-per-child", "1", "--without-gossip", "-l", "WARNING"]
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "foreign", *options],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    try:
        agent.wait_for(lambda: agent.total(EVENTS_STORED) == 2, deadline_s=30)
    finally:
        worker.terminate()
        worker.wait(30)

    assert agent.total(EVENTS_STORED) == 2
