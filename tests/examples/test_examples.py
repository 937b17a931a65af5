"""Each example is a stranger's project: set up, started and tried as its README says, with nothing else of ours."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator

import pytest
import requests

from tests import datagram, dogstatsd
from tests.examples.readme import ROOT, Reading, followed, wait_until

SETTINGS = {"django-rest-api": "library", "graphql-api": "cinema", "celery-tasks": "bureau"}
# As many lines as a reader takes in at a glance: marks, comments and policies of one's own included.
AT_A_GLANCE = 20


pytestmark = pytest.mark.slow  # half a minute each: migrations, servers, and commands that wait for what they show


@pytest.fixture(scope="module")
def followed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Reading]]:
    """Each README is followed once, when the first test asks for it, and its programs run until the last is done."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Reading] = {}

        def follow(name: str) -> Reading:
            if name not in found:
                found[name] = stack.enter_context(followed(name, tmp_path_factory.mktemp("example")))
            return found[name]

        yield follow


@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_readme_shows_is_what_its_reader_sees(name: str, followed_once: Callable[[str], Reading]) -> None:
    """Numbers apart, which are asked below."""
    reading = followed_once(name)

    for section in reading.shown:
        missing = wait_until_nothing_is_missing(reading, section)

        assert missing == [], f"{section}: {reading.said[section]}"


@pytest.mark.parametrize("name", SETTINGS)
def test_what_datadog_is_told_is_in_the_catalogue(name: str, followed_once: Callable[[str], Reading]) -> None:
    sent = [line for line in followed_once(name).log("agent").splitlines() if line]

    for message in [message for line in sent for message in datagram.parse(line.encode())]:
        dogstatsd.check(message)

    assert any(line.startswith("sentinel.request.count:") for line in sent)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_lines_around_it_are_taken_in_at_a_glance(name: str) -> None:
    settings = (ROOT / "examples" / name / SETTINGS[name] / "settings.py").read_text("utf-8")

    ours = re.search(r"^# >>> Sentinel\n(.*)^# <<< Sentinel\n", settings, re.MULTILINE | re.DOTALL)[1].splitlines()

    assert len(ours) <= AT_A_GLANCE


@pytest.mark.parametrize("name", SETTINGS)
def test_its_settings_pass_every_check(name: str, followed_once: Callable[[str], Reading]) -> None:
    reading = followed_once(name)

    done = reading.command("python manage.py check --fail-level WARNING --database default")

    assert "no issues" in done


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_of_the_shop_or_the_wiring_is_there(name: str, followed_once: Callable[[str], Reading]) -> None:
    """Its URLconf and with it all else was imported, from a place where `shop` and `sentinel` cannot be found."""
    reading = followed_once(name)
    code = "import sys, importlib.util as u; from django.urls import get_resolver; get_resolver().url_patterns; "
    code += "print([m for m in ('shop', 'sentinel', 'tests') if m in sys.modules or u.find_spec(m)])"

    done = reading.command(f'python -c "import django; django.setup(); {code}"')

    assert done.strip() == "[]"


def test_the_sixth_search_is_refused_and_told_so_in_full(followed_once: Callable[[str], Reading]) -> None:
    said = followed_once("django-rest-api").said["Meet a limit"]

    assert re.findall(r"^HTTP/1.1 (\d+)", said, re.MULTILINE) == ["200"] * 5 + ["429"]
    assert re.search(r'^Retry-After: [1-9]\d?\n.*"search";q=5;w=60\n.*"search";r=0;t=\d+$', said, re.MULTILINE)


def test_a_token_is_refused_its_third_export_from_another_address(followed_once: Callable[[str], Reading]) -> None:
    said = followed_once("django-rest-api").said["Meet a limit"]

    assert said.splitlines()[-3:-1] == ["200", "200"]
    assert said.splitlines()[-1].endswith("429")
    assert '"violated-policies": ["exports"]' in said


def test_who_guesses_passwords_is_blocked_and_a_case_in_the_admin(followed_once: Callable[[str], Reading]) -> None:
    reading = followed_once("django-rest-api")

    rows = signed_in(reading).get(f"{reading.site}/admin/ip_tracking/suspiciousip/?q=203.0.113.9", timeout=30)

    assert re.search(r"^(400 ){10}429 ", reading.said["Guess passwords, and be blocked"], re.MULTILINE)
    assert "HTTP/1.1 403 Forbidden" in reading.said["Guess passwords, and be blocked"]
    assert "203.0.113.9: 1 decision ended" in reading.said["Guess passwords, and be blocked"]
    assert rows.status_code == 200
    assert '<span class="rule">login-brute-force</span>' in rows.text


def test_of_a_hundred_aliased_logins_as_many_are_tried_as_the_policy_has_places(
    followed_once: Callable[[str], Reading],
) -> None:
    reading = followed_once("graphql-api")
    said = reading.said["A hundred logins in one document"]

    errors = json.loads((reading.directory / "hundred.json").read_text())["errors"]
    refused = [error for error in errors if "extensions" in error]

    assert "10 tried, 90 refused" in said
    assert [error["path"] for error in refused] == [[f"try{number}"] for number in range(11, 101)]
    assert {error["extensions"]["code"] for error in refused} == {"RATE_LIMITED"}
    assert all(error["message"] == error["extensions"]["detail"] for error in refused)
    assert all(0 < error["extensions"]["retry-after"] <= 60 for error in refused)
    assert "ip_tracking.refused.Refused" not in reading.log("manage")


def test_a_document_over_the_limit_and_a_blocked_network_are_told_by_errors_alone(
    followed_once: Callable[[str], Reading],
) -> None:
    reading = followed_once("graphql-api")

    over = json.loads(reading.said["A whole request that is refused"].splitlines()[-1].removesuffix(" 429"))
    blocked = json.loads(reading.said["A blocked address"].splitlines()[1].removesuffix(" 403"))

    assert over.keys() == blocked.keys() == {"errors"}
    assert over["errors"][0]["extensions"]["violated-policies"] == ["graphql"]
    assert blocked["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_task_that_could_not_reach_anybody_is_tried_again_until_it_can(
    followed_once: Callable[[str], Reading],
) -> None:
    reading = followed_once("celery-tasks")
    counts = [line for line in reading.log("agent").splitlines() if "fetch_rates" in line and ".tasks:" in line]

    assert '"USD": "0.921500"' in reading.said["A task that has to try again"]
    assert sum("state:retry" in line for line in counts) >= 1
    assert not any("state:failure" in line for line in counts)


def test_a_worker_of_their_own_stores_the_requests_and_blocks_who_looks_for_secrets(
    followed_once: Callable[[str], Reading],
) -> None:
    reading = followed_once("celery-tasks")

    case = reading.command("python manage.py explain_client 203.0.113.9")

    assert "HTTP/1.1 403 Forbidden" in reading.said["From a request to a block"]
    assert "sensitive-files" in case
    assert "task:ip_tracking.tasks.store_events,queue:events,state:success" in reading.log("agent")
    assert "task:ip_tracking.tasks.store_events,queue:celery" not in reading.log("agent")


def wait_until_nothing_is_missing(reading: Reading, section: str) -> list[str]:
    """Returns what is missing still: the Agent's stand-in prints a third of a second later, a worker's numbers too."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not reading.missing(section), section, deadline_s=20)
    return reading.missing(section)


def signed_in(reading: Reading) -> requests.Session:
    session = requests.Session()
    login = f"{reading.site}/admin/login/"
    session.get(login, timeout=30)
    form = {
        "next": "/admin/",
        "username": "ada",
        "password": "shelf-by-shelf",
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    session.post(login, form, timeout=30).raise_for_status()
    return session
