"""Text from strangers: what would hide, reorder or command is shown as what it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ip_tracking.visible import HIDDEN, visible


@pytest.mark.parametrize("text", ["", "/products/7?page=2", "Zażółć gęślą jaźń", "日本語", "<script>alert(1)</script>"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    """Markup too: escaping is the template's, and escaping twice would show entities."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),  # clears a terminal
        ("a\r\nb", "a\\x0d\\x0ab"),  # forges a second line of a log
        ("\x00", "\\x00"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),  # reorders what follows
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\u2028", "\\u2028"),
        ("\ue000", "\\ue000"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),  # an invisible tag character
    ],
)
def test_what_hides_or_commands_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert visible("a" * 200) == "a" * 200
    assert visible("a" * 201) == "a" * 199 + "…"
    assert visible("\x00" * 10_000, most=10) == "\\x00\\x00\\…"


@settings(max_examples=300, deadline=None, database=None)
@given(text=st.text(alphabet=st.characters()), most=st.integers(2, 300))
def test_nothing_hidden_ever_comes_out_and_it_is_never_longer(text: str, most: int) -> None:
    shown = visible(text, most)

    assert len(shown) <= most
    assert not any(unicodedata.category(character) in HIDDEN for character in shown)
    shown.encode()
