"""What differs between what the code says and what Datadog has. Only what we set is looked at: it adds much itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

# Two words of Datadog's for one thing; it answers with either.
SAME_TYPE = {"metric alert": "query alert"}
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    path: str
    here: object
    there: object

    def lines(self) -> list[str]:
        """Returns the difference for a terminal, in ASCII: what is there may be anybody's text."""
        there, here = _shown(self.there), _shown(self.here)
        if len(there) + len(here) < 80:
            return [f"{self.path}: {there} -> {here}"]
        return [f"{self.path}:", f"  there {there}", f"  here  {here}"]


def differences(here: object, there: object, path: str = "") -> Iterator[Difference]:
    """Yields where `there` is not what `here` says."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key, value in here.items():
            yield from differences(value, there.get(key, NOTHING), f"{path}.{key}" if path else key)
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there) and path != "tags":
        for place, (value, other) in enumerate(zip(here, there, strict=True)):
            yield from differences(value, other, f"{path}[{place}]")
    elif not _same(path, here, there):
        yield Difference(path, here, there)


def _same(path: str, here: object, there: object) -> bool:
    if path == "tags" and isinstance(here, list) and isinstance(there, list):
        return sorted(map(str, here)) == sorted(map(str, there))  # Datadog keeps no order of them
    if path == "type":
        return SAME_TYPE.get(str(here), here) == SAME_TYPE.get(str(there), there)
    if isinstance(here, bool) or isinstance(there, bool):
        return here is there
    return here == there


def _shown(value: object) -> str:
    if value is NOTHING:
        return "nothing"
    if isinstance(value, list) and len(json.dumps(value, default=str)) > 200:
        return f"a list of {len(value)}"
    return json.dumps(value, default=str)
