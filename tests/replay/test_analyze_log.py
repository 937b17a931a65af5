"""The command as people and pipes use it."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ip_tracking.models import SuspiciousIP
from tests.replay.lines import line

SCAN = [line("/"), line("/.env", at="12:00:01"), line("/.git/config", at="12:00:02")]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(tmp_path):
    """Writes a log and returns its path."""

    def write(lines=SCAN, name="access.log") -> str:
        path = tmp_path / name
        data = lines if isinstance(lines, bytes) else "".join(lines).encode()
        path.write_bytes(data)
        return str(path)

    return write


def analyze(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("analyze_log", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def test_json_says_who_why_and_by_which_lines(log):
    path = log()

    out, err = analyze(path, "--format", "json")

    result = json.loads(out)
    assert err == ""
    assert list(result) == ["lines", "parsed", "unparsed", "networks_closed", "seconds", "flagged"]
    assert (result["lines"], result["parsed"], result["unparsed"]) == (3, 3, 0)
    [flagged] = result["flagged"]
    assert list(flagged) == ["address", "severity", "score", "findings"]
    assert (flagged["address"], flagged["severity"], flagged["score"]) == ("203.0.113.9", "high", 40)
    [finding] = flagged["findings"]
    assert list(finding) == ["rule", "count", "threshold", "first_seen", "last_seen", "evidence"]
    assert (finding["rule"], finding["count"], finding["threshold"]) == ("sensitive-files", 2, 2)
    assert finding["first_seen"] == "2025-10-09T12:00:01+00:00"
    assert finding["last_seen"] == "2025-10-09T12:00:02+00:00"
    assert [one["line"] for one in finding["evidence"]] == [f"{path}:2", f"{path}:3"]
    assert finding["evidence"][0]["request"] == "GET /.env 404"


def test_the_table_says_the_same_to_people(log):
    path = log()

    out, _ = analyze(path)

    assert "203.0.113.9  high  score 40" in out
    assert "sensitive-files: Asking for files that hold secrets, 2 in 600 s (from 2 on)" in out
    assert f"{path}:2  GET /.env 404" in out
    assert "1 suspicious, 3 of 3 lines understood" in out


def test_several_files_are_one_story(log):
    first, second = log([SCAN[1]], "a.log"), log([SCAN[2]], "b.log")

    out, _ = analyze(first, second)

    assert f"{first}:1" in out
    assert f"{second}:1" in out


def test_a_gzipped_log_is_read_whatever_its_name(log):
    path = log(gzip.compress("".join(SCAN).encode()), "access.log.1")

    out, _ = analyze(path)

    assert "203.0.113.9" in out


def test_a_mark_of_byte_order_does_not_cost_the_first_line(log):
    path = log(b"\xef\xbb\xbf" + "".join(SCAN).encode())

    assert json.loads(analyze(path, "--format", "json")[0])["unparsed"] == 0


def test_zeros_that_a_rotation_left_do_not_make_a_log_binary(log):
    path = log(b"\0" * 4_096 + "".join(SCAN).encode())

    assert "203.0.113.9" in analyze(path)[0]


def test_a_line_without_end_is_one_line(log):
    path = log(b"x" * 300_000 + b"\n" + "".join(SCAN).encode())

    out, err = analyze(path, "--format", "json")

    assert json.loads(out)["lines"] == 4
    assert "1 of 4 lines" in err
    assert len(err) < 400


def test_what_a_client_sent_cannot_command_the_terminal(log):
    hidden = "\\x1b[2J\u202e\u2066"
    path = log([line(f"/.env{hidden}\x1b]0;x"), line("/.git/config"), f"rubbish \x1b[2J{hidden}\n"])

    out, err = analyze(path)

    for text in (out, err, analyze(path, "--format", "json")[0]):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_unparsed_lines_are_counted_and_shown(log):
    path = log([*SCAN, "nonsense\n"])

    _, err = analyze(path)

    assert "1 of 4 lines" in err
    assert f"{path}:4  nonsense" in err


def test_a_log_of_a_named_format_is_read_as_that(log):
    path = log(
        ['{"remote_addr": "203.0.113.9", "ts": 1760011200, "request": "GET /.env HTTP/1.1", "status": 404}\n', *SCAN]
    )

    assert json.loads(analyze(path, "--log-format", "json", "--format", "json")[0])["parsed"] == 1
    assert json.loads(analyze(path, "--log-format", "combined", "--format", "json")[0])["parsed"] == 3


@pytest.mark.parametrize(
    ("make", "wrong", "right"),
    [
        (lambda tmp: tmp / "none.log", "does not exist", "name an access log"),
        (lambda tmp: tmp, "is a directory", "name the files in it"),
        (lambda tmp: written(tmp, b""), "is empty", "at least one line"),
        (lambda tmp: written(tmp, gzip.compress(b"")), "is empty", "at least one line"),
        (lambda tmp: written(tmp, bytes(range(256)) * 40), "is a binary file", "name an access log"),
        (lambda tmp: written(tmp, gzip.compress("".join(SCAN).encode())[:-9]), "damaged gzip", "copy it again"),
        (lambda tmp: written(tmp, b"\x1f\x8bnot gzip at all"), "damaged gzip", "copy it again"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path, log, make, wrong, right):
    good, bad = log(), str(make(tmp_path))

    with pytest.raises(CommandError) as caught:
        analyze(good, bad)

    assert bad in str(caught.value)
    assert wrong in str(caught.value)
    assert right in str(caught.value)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "bad.log"
    path.write_bytes(data)
    return path


@pytest.mark.django_db
def test_nothing_is_filed_unless_asked(log):
    analyze(log())

    assert not SuspiciousIP.objects.exists()


@pytest.mark.django_db
def test_save_files_a_case_that_names_the_log(log):
    path = log()

    analyze(path, "--save")

    case = SuspiciousIP.objects.get()
    assert case.network == "203.0.113.9"
    assert case.source == path[:200]


@pytest.mark.django_db
def test_what_no_database_stores_does_not_keep_a_case_from_being_filed(log):
    hostile = r'{"remote_addr": "203.0.113.9", "ts": 1760011200, "status": 404, "request": "GET /.env%s\u0000\ud800"}'

    analyze(log([hostile % name + "\n" for name in [".a", ".b"]]), "--save")

    assert SuspiciousIP.objects.get().network == "203.0.113.9"


@pytest.mark.django_db
def test_nothing_is_filed_from_a_broken_set_of_files(log):
    broken = log(gzip.compress("".join(SCAN).encode())[:-9], "b.gz")

    with pytest.raises(CommandError):
        analyze(log(), broken, "--save")

    assert not SuspiciousIP.objects.exists()


def started(*arguments: str, **pipes) -> subprocess.Popen:
    """The command in a process of its own, without a database or a store to talk to."""
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SENTINEL_STORE_URL": "redis://127.0.0.1:1/0"}
    environment = {**os.environ, **nowhere, "SECRET_KEY": "x1Y2" * 20, "DJANGO_SETTINGS_MODULE": "sentinel.settings"}
    command = [sys.executable, "manage.py", "analyze_log", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)


BOTH = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def test_standard_input_is_read_and_a_pipe_sees_no_progress_bar():
    with started("-", "--format", "json", stdin=subprocess.PIPE, **BOTH) as process:
        out, err = process.communicate("".join(SCAN), timeout=60)

    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["flagged"][0]["findings"][0]["evidence"][0]["line"] == "stdin:2"


def test_no_arguments_show_the_usage():
    with started(**BOTH) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "usage:" in err


def test_a_reader_that_goes_away_is_no_error(log):
    path = log([line(f"/.env.{n}", network=f"10.0.{n // 250}.{n % 250}") for n in range(2_000) for _ in "ab"])

    with started(path, **BOTH) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert err == ""
    assert process.returncode == 0


def test_control_c_is_quiet():
    with started("-", stdin=subprocess.PIPE, **BOTH) as process:
        process.stdin.write("".join(SCAN) * 2_000)  # more than the pipe holds: once it is taken, the command is reading
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (130, "", "")


def test_a_terminal_sees_a_progress_bar(log):
    mine, theirs = pty.openpty()

    with started(log(), stdout=subprocess.PIPE, stderr=theirs) as process:
        out, _ = process.communicate(timeout=60)
    seen = os.read(mine, 65_536).decode()
    os.close(mine)
    os.close(theirs)

    assert "access.log" in seen
    assert "203.0.113.9" in out
