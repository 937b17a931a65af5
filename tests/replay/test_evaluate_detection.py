"""Scoring on logs whose attackers are known."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.replay.lines import line

ROOT = Path(__file__).parents[2]
ATTACK = ("/.env", "/.git/config")


def case(
    folder: Path, name: str = "home/scan-1", *, lines: list[str] | None = None, expected: object = None, **fields
) -> Path:
    """Writes a case: a scan by 203.0.113.9, and 198.51.100.1 that only looks at products."""
    place = folder / name
    place.mkdir(parents=True)
    visits = [line(f"/products/{n}/", status=200, network="198.51.100.1") for n in range(5)]
    (place / "access.log").write_text("".join([line(target) for target in ATTACK] + visits if lines is None else lines))
    known = {"family": "scan", "attackers": ["203.0.113.9"], "benign": ["198.51.100.1"], "parsable_lines": 7} | fields
    (place / "expected.json").write_text(json.dumps(known) if expected is None else str(expected))
    return place


def evaluated(folder: Path, *arguments: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("evaluate_detection", str(folder), *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code)
    return out.getvalue(), 0


def scored(folder: Path) -> dict:
    return json.loads(evaluated(folder, "--format", "json")[0])


def test_json_tells_each_family_and_all(tmp_path):
    case(tmp_path, "home/scan-1")
    case(tmp_path, "home/quiet", family="bruteforce", attackers=["192.0.2.1"], benign=[])
    case(tmp_path, "away/scan-1", lines=[line("/.env"), line("/.git/config"), "rubbish\n"], benign=[], parsable_lines=3)

    result = scored(tmp_path)

    assert list(result) == ["families", "all", "lines_per_s"]
    assert list(result["families"]) == ["bruteforce", "scan"]
    assert result["families"]["scan"] == {
        "attackers": 2, "found": 2, "benign": 1, "benign_flagged": 0, "parsable": 10, "parsed": 9, "missed": [],
        "wrong": [],
    }  # fmt: skip
    assert result["families"]["bruteforce"]["missed"] == [{"case": "home/quiet", "address": "192.0.2.1"}]
    assert (result["all"]["attackers"], result["all"]["found"], result["all"]["parsed"]) == (3, 2, 16)
    assert result["lines_per_s"] > 0


def test_the_table_names_who_was_missed(tmp_path):
    case(tmp_path, attackers=["203.0.113.9", "192.0.2.1"])

    out, status = evaluated(tmp_path)

    assert status == 0
    assert "50.0% 1 of 2" in out
    assert "100.0% 7 of 7" in out
    assert "missed\n  home/scan-1  192.0.2.1\n" in out


def test_a_benign_address_that_is_flagged_is_named_and_fails(tmp_path):
    case(tmp_path, attackers=[], benign=["203.0.113.9"])

    out, status = evaluated(tmp_path)

    assert status == 1
    assert "1 of 1" in out
    assert "benign, but flagged\n  home/scan-1  203.0.113.9\n" in out
    assert scored(tmp_path)["all"]["wrong"] == [{"case": "home/scan-1", "address": "203.0.113.9"}]


def test_an_address_on_neither_list_counts_for_nothing(tmp_path):
    case(tmp_path, attackers=[], benign=[])

    result = scored(tmp_path)["all"]

    assert (result["attackers"], result["found"], result["benign"], result["benign_flagged"]) == (0, 0, 0, 0)


def test_cases_know_nothing_of_each_other(tmp_path):
    case(tmp_path, "home/one", lines=[line("/.env")])
    case(tmp_path, "home/two", lines=[line("/.git/config")])

    assert scored(tmp_path)["all"]["found"] == 0


@pytest.mark.parametrize(
    ("spelt", "logged"),
    [
        ("2001:0DB8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2::1"),
        ("2001:db8:1:2:ffff::7", "2001:db8:1:2::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "::ffff:203.0.113.9"),
    ],
)
def test_addresses_may_be_spelt_in_any_way(tmp_path, spelt, logged):
    case(tmp_path, lines=[line(target, network=logged) for target in ATTACK], attackers=[spelt, "192.0.2.1"])

    result = scored(tmp_path)["all"]

    assert (result["attackers"], result["found"]) == (2, 1)
    assert [missed["address"] for missed in result["missed"]] == ["192.0.2.1"]


def test_lists_that_are_left_out_are_empty_and_notes_are_free(tmp_path):
    case(tmp_path, expected='{"family": "quiet", "note": "nothing known", "weather": "rain"}')

    assert scored(tmp_path)["all"]["attackers"] == 0


def test_where_nobody_counted_the_lines_none_are_expected(tmp_path):
    case(tmp_path, parsable_lines=None)

    result = scored(tmp_path)["all"]

    assert (result["parsable"], result["parsed"]) == (0, 0)


def test_logs_of_a_named_format_are_read_as_that(tmp_path):
    case(tmp_path)

    out, _ = evaluated(tmp_path, "--format", "json", "--log-format", "json")

    assert json.loads(out)["all"]["parsed"] == 0


def without(name: str):
    def make(folder: Path) -> None:
        (case(folder, "home/bad") / name).unlink()

    return make


def expecting(text: str):
    return lambda folder: case(folder, "home/bad", expected=text)


BROKEN = {
    "no log": (without("access.log"), "home/bad/access.log", "is missing", "a case has access.log"),
    "no expectation": (without("expected.json"), "home/bad/expected.json", "is missing", '{"family": "scan"'),
    "neither": (lambda folder: (folder / "home/bad").mkdir(parents=True), "home/bad", "is missing", "a case has"),
    "empty log": (lambda folder: case(folder, "home/bad", lines=[]), "home/bad/access.log", "is empty", "at least one"),
    "no JSON": (expecting("{"), "home/bad/expected.json", "cannot be read as JSON", "write an object"),
    "nested": (expecting("[" * 20_000), "home/bad/expected.json", "cannot be read as JSON", "write an object"),
    "no object": (expecting("[]"), "home/bad/expected.json", "holds no object", "write one such as"),
    "no family": (expecting('{"attackers": []}'), "home/bad/expected.json", "names no family", '"family": "scan"'),
    "no list": (expecting('{"family": "x", "attackers": "1.2.3.4"}'), "bad/expected.json", "is no list", "write addr"),
    "no address": (expecting('{"family": "x", "benign": ["me"]}'), "bad/expected.json", "'me'", "write one such as"),
    "a number": (expecting('{"family": "x", "benign": [7]}'), "bad/expected.json", "holds 7", "write one such as"),
    "a slip": (expecting('{"family": "x", "atackers": []}'), "bad/expected.json", "'atackers'", "called 'attackers'"),
    "lines": (expecting('{"family": "x", "parsable_lines": "7"}'), "bad/expected.json", "parsable_lines is", "write"),
    "both": (
        expecting('{"family": "x", "attackers": ["::1"], "benign": ["0::1"]}'),
        "bad/expected.json", "calls ::1 attacker and benign", "leave it in one",
    ),
    "too high": (lambda folder: case(folder, "bad"), "bad/access.log", "belongs to no case", "<group>/<case>"),
    "too deep": (lambda folder: case(folder, "a/b/bad"), "a/b/bad/", "belongs to no case", "<group>/<case>"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "named", "wrong", "right"), BROKEN.values(), ids=BROKEN)
def test_a_broken_case_is_one_clear_error(tmp_path, make, named, wrong, right):
    case(tmp_path, "home/good")
    make(tmp_path)

    with pytest.raises(CommandError) as caught:
        evaluated(tmp_path)

    assert caught.value.returncode == 2
    for text in (named, wrong, right):
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda folder: folder / "none", "does not exist"),
        (lambda folder: case(folder) / "access.log", "is a file"),
        (lambda folder: folder, "holds no case"),
    ],
)
def test_a_folder_without_cases_is_one_clear_error(tmp_path, make, wrong):
    with pytest.raises(CommandError, match=wrong) as caught:
        evaluated(make(tmp_path))

    assert "<group>/<case>" in str(caught.value)


def test_it_needs_no_secret_and_no_database(tmp_path):
    case(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "DJANGO_SETTINGS_MODULE": "sentinel.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "evaluate_detection", str(tmp_path), "--format", "json"],
        cwd=ROOT, env=environment | nowhere | {"ENV_FILE": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["all"]["found"] == 1
