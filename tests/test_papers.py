"""What the tests take from a page: its commands, and whether they printed what it says."""

from __future__ import annotations

import pytest

from tests.papers import ROOT, Block, blocks, printed, run


@pytest.mark.parametrize(
    ("promised", "output", "is_so"),
    [
        ("403\n", "200\n403\n", True),
        ("403\n", "200\n", False),
        ("one\ntwo\n", "two\none\n", False),
        ('{"ready": true, ...\n', '{"ready": true, "parts": {}}\n', True),
        ("...9...\n...\n200\n", "it is 9 of 10\nmore\nand more\n200\n", True),
        ("", "whatever", True),
    ],
)
def test_what_is_promised_must_be_printed_in_its_order(promised, output, is_so):
    assert printed(promised, output) is is_so


def test_a_command_that_fails_in_the_middle_fails(tmp_path):
    with pytest.raises(AssertionError, match="before"):
        run(Block("sh", "echo before\nfalse\necho after\n"), tmp_path, {"PATH": "/usr/bin:/bin"}, {})


def test_a_box_without_a_kind_is_what_the_one_before_prints():
    first = blocks(ROOT / "docs/setup-guide.md", "On one machine")[1]

    assert first == Block("sh", "curl -s http://127.0.0.1:8000/readyz\n", '{"ready": true, ...\n')
