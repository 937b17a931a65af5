"""What `make run` cannot do, it says in one line, with what helps."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from pages import environment

from sentinel import embedded
from sentinel.run import place
from sentinel.run.environment import environment_of
from tests.required import require
from tests.run.house import BASE_DIR, parent_environment, run_once


def test_a_taken_port_is_named_with_another_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        result = run_once(tmp_path, str(port))

    assert result.returncode == 1
    assert result.stderr == f"Port {port} is taken: say another one, as in `make run PORT={port + 1}`.\n"


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80 80", "٣"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(place.CannotRun, match="is not a port: write a number from 1024 to 65535"):
        place.listen(port)


def test_a_platform_without_valkey_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "get_binary_path", None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(embedded.NoValkey, match="install Debian's package redis-server"):
        embedded.valkey_binary()


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the directory should be")

    with pytest.raises(place.CannotRun, match=r"var cannot be written .*: remove it, or say VAR_DIR"):
        place.make_room(tmp_path / "var")


def test_a_path_too_long_for_a_unix_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(place.CannotRun, match="too long a path"):
        place.make_room(tmp_path / ("x" * 100))


def test_the_run_sets_every_variable_so_that_none_comes_from_the_shell_or_env_file(tmp_path: Path) -> None:
    assert set(environment.read()) - environment_of(tmp_path).keys() == set()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a fresh clone as make looks at."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(BASE_DIR / name, tmp_path)
    return tmp_path


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require("make", "make"), *arguments],
        cwd=checkout,
        env=parent_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def python_that_lacks(word: str, at: Path) -> Path:
    """A Python that fails at whatever mentions `word`."""
    at.write_text(f'#!/bin/sh\ncase "$2" in *{word}*) exit 1;; esac\n')
    at.chmod(0o755)
    return at


@pytest.mark.parametrize(
    ("lacks", "line"),
    [
        ("version_info", "Python 3.11 or later is needed: apt-get install python3 python3-venv"),
        ("ensurepip", "Python has no venv module here: apt-get install python3-venv."),
    ],
)
def test_make_names_what_python_lacks(checkout: Path, lacks: str, line: str) -> None:
    result = make(checkout, "run", f"PYTHON={python_that_lacks(lacks, checkout / 'python')}")

    assert result.returncode == 2
    assert result.stderr.startswith(line)
    assert "Traceback" not in result.stderr
    assert not os.path.exists(checkout / ".venv")


def test_make_alone_lists_what_one_may_want(checkout: Path) -> None:
    result = make(checkout)

    listed = {line.split()[1] for line in result.stdout.splitlines()}
    assert listed >= {"help", "run", "manage", "test", "test-all", "check", "fix", "bench", "clean"}
    assert not any(name.startswith(("installed", "check-")) for name in listed)


def test_a_valkey_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(embedded.NotStarted, match=rf"its log is {tmp_path}/valkey.log"):
        embedded.start_valkey(tmp_path, binary=require("false", "coreutils"))


def test_make_clean_forgets_the_data(checkout: Path) -> None:
    (checkout / "var").mkdir()
    (checkout / "var" / "lock").touch()

    make(checkout, "clean")

    assert not (checkout / "var").exists()
