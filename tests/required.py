"""What a test needs that no wheel carries. A missing one is skipped by name at a desk, and a failure in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest


def require(name: str, package: str) -> str:
    """Returns where the program `name` is, or the name of the Python module `name`.

    Where it is missing the test is skipped saying which Debian or Python package brings it; with CI in the environment
    it fails, since there nothing may go untested unseen.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postgresql/bin")
    if found:
        return found
    if not (name.replace(".", "").isidentifier() and _is_module(name)):
        missing(f"{name} is missing: install {package}")
    return name


def missing(what: str) -> NoReturn:
    """Ends the test for what is not there: skipped by this name at a desk, failed in CI."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of the package it is in
        return False
