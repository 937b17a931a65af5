"""What other programs read as YAML. Compose and GitHub refuse a key that stands twice, where Python takes the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(str(file.relative_to(ROOT)) for file in [*ROOT.glob("*.yml"), *ROOT.glob(".github/**/*.yml")])


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    match node:
        case yaml.MappingNode(value=pairs):
            yield node
            for _, value in pairs:
                yield from _mappings(value)
        case yaml.SequenceNode(value=items):
            for item in items:
                yield from _mappings(item)


@pytest.mark.parametrize("name", FILES)
def test_no_key_stands_twice(name: str) -> None:
    mappings = _mappings(yaml.compose((ROOT / name).read_text("utf-8")))

    counts = [Counter(key.value for key, _ in mapping.value) for mapping in mappings]

    assert counts
    assert [key for count in counts for key, times in count.items() if times > 1] == []
