"""Cases whose attackers are known: <folder>/<group>/<case>/access.log with expected.json beside it.

A case that is not as it should be stops the reading: one left out in silence would flatter the score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ip_tracking.replay.line import Source, source_of

LOG = "access.log"
EXPECTED = "expected.json"

KEYS = ("family", "attackers", "benign", "parsable_lines", "note", "source", "licence")
EXAMPLE = '{"family": "scan", "attackers": ["203.0.113.9"], "benign": []}'


class BrokenCase(Exception):
    """A case, or a folder of them, that cannot be scored; the text says what was wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Case:
    """One log and who in it is known to be what: each address with its spelling in expected.json."""

    name: str  # "group/case"
    log: Path
    family: str
    attackers: Mapping[Source, str]
    benign: Mapping[Source, str]
    parsable_lines: int | None  # None where nobody counted


def cases_in(folder: str) -> list[Case]:
    """All cases, by name. Raises BrokenCase."""
    root = Path(folder)
    if not root.is_dir():
        wrong = "is a file" if root.exists() else "does not exist"
        raise BrokenCase(f"{folder} {wrong}; name a folder that holds <group>/<case>/{LOG} and {EXPECTED}")
    places = sorted(place for place in root.glob("[!.]*/[!.]*") if place.is_dir())
    if strays := sorted(file for name in (LOG, EXPECTED) for file in root.rglob(name) if file.parent not in places):
        raise BrokenCase(f"{strays[0]} belongs to no case; a case is {root / '<group>' / '<case>' / strays[0].name}")
    if not places:
        raise BrokenCase(f"{folder} holds no case; a case is {root / '<group>' / '<case>' / LOG} with {EXPECTED}")
    return [_case(place, f"{place.parent.name}/{place.name}") for place in places]


def _case(place: Path, name: str) -> Case:
    for file in (place / LOG, place / EXPECTED):
        if not file.is_file():
            raise BrokenCase(f"{file} is missing; a case has {LOG} and {EXPECTED}, such as {EXAMPLE}")
    file = place / EXPECTED
    expected = _expected(file)
    attackers, benign = (_sources(file, expected, key) for key in ("attackers", "benign"))
    if both := attackers.keys() & benign.keys():
        raise BrokenCase(f"{file} calls {min(both).address} attacker and benign; leave it in one list or in none")
    return Case(name, place / LOG, _family(file, expected), attackers, benign, _parsable(file, expected))


def _expected(file: Path) -> dict[str, Any]:
    try:
        expected = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenCase(f"{file} cannot be read as JSON ({error}); write an object such as {EXAMPLE}") from error
    if not isinstance(expected, dict):
        raise BrokenCase(f"{file} holds no object; write one such as {EXAMPLE}")
    for key in expected.keys() - set(KEYS):
        if meant := get_close_matches(key, KEYS, n=1):
            raise BrokenCase(f"{file} has the key {key!r}; it is called {meant[0]!r}")
    return expected


def _family(file: Path, expected: Mapping[str, Any]) -> str:
    family = expected.get("family")
    if not isinstance(family, str) or not family:
        raise BrokenCase(f'{file} names no family; write the kind of attack, such as "family": "scan"')
    return family


def _sources(file: Path, expected: Mapping[str, Any], key: str) -> dict[Source, str]:
    addresses = expected.get(key, [])
    if not isinstance(addresses, list):
        raise BrokenCase(f'{file}: {key} is no list; write addresses, such as "{key}": ["203.0.113.9"]')
    sources = {}
    for address in addresses:
        source = source_of(address) if isinstance(address, str) else None
        if source is None:
            raise BrokenCase(f"{file}: {key} holds {address!r}, which is no address; write one such as 203.0.113.9")
        sources[source] = address
    return sources


def _parsable(file: Path, expected: Mapping[str, Any]) -> int | None:
    lines = expected.get("parsable_lines")
    if lines is not None and (type(lines) is not int or lines < 0):
        raise BrokenCase(f"{file}: parsable_lines is {lines!r}; write how many lines are requests, or leave it out")
    return lines
