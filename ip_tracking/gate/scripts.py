"""The Lua scripts of the gate, and the names a server knows them by."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import NamedTuple

Argument = str | int | float | bytes


class Script(NamedTuple):
    source: str
    sha: str


def _load(name: str) -> Script:
    source = resources.files(__package__).joinpath(name).read_text("utf-8")
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


ADMIT = _load("admit.lua")
GIVE_BACK = _load("give_back.lua")
