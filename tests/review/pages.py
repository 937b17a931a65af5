"""The review desk's pages as a browser meets them: addresses, forms that are looked at before they are sent, text."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from django.http import HttpResponse
from django.test import Client

from ip_tracking.models import SuspiciousIP

QUEUE = "/admin/ip_tracking/suspiciousip/"
WHY = "Card testing since noon"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><h1>All clear</h1>",
    "{{ request.user.password }} {% debug %}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u202eevil\u2066\u200b",
    "\x1b[31m\x00\x08\udc80",
]


def page_of(case: SuspiciousIP) -> str:
    return f"{QUEUE}{case.pk}/change/"


def act_on(action: str, *cases: SuspiciousIP) -> str:
    return f"{QUEUE}act/{action}/?ids={','.join(str(case.pk) for case in cases)}"


def versions(*cases: SuspiciousIP) -> str:
    """What the form of these cases carries, as they are now."""
    return ",".join(f"{case.pk}:{again(case).version}" for case in cases)


def act(client: Client, action: str, *cases: SuspiciousIP, **given: Any) -> HttpResponse:
    """Looks at the page and sends its form, with a reason unless another one is given."""
    shown = client.get(act_on(action, *cases))
    assert shown.status_code == 200
    posted = {"reason": WHY, "versions": shown.context["versions"], **given}
    return client.post(act_on(action, *cases), posted, follow=True)


def again(case: SuspiciousIP) -> SuspiciousIP:
    case.refresh_from_db()
    return case


def messages(response: HttpResponse) -> str:
    return " ".join(str(message) for message in response.context["messages"])


class Page(HTMLParser):
    """A page as a browser reads it: its elements and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(response: HttpResponse) -> Page:
    assert response.status_code == 200
    return Page(response.content.decode())


def text_of(response: HttpResponse) -> str:
    return " ".join(" ".join(read(response).text).split())


def assert_inert_and_visible(page: Page, expected: Page, text: str) -> None:
    """The page has the elements that it has with harmless text, and shows this one."""
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in expected.elements]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    shown = "".join(page.text)
    assert not set(shown) & set("\u202e\u2066\u200b\x1b\x00\x08\udc80")
    if text.isascii() and text.isprintable():
        assert text in shown
    else:
        assert "\\x" in shown or "\\u" in shown


def assert_strict(page: Page) -> None:
    """Nothing that `script-src 'self'; style-src 'self'` would refuse, and what assistive software needs."""
    assert not page.all("style")
    assert all(script.get("src") for script in page.all("script"))
    assert not any(name == "style" or name.startswith("on") for _, attributes in page.elements for name in attributes)
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    content = levels[levels.index(1) :]
    assert all(deeper <= level + 1 for level, deeper in pairwise(content))
    for scroll in page.all("div"):
        if scroll.get("class") == "scroll":
            assert (scroll.get("tabindex"), scroll.get("role")) == ("0", "region")
            assert scroll.get("aria-label")
    labelled = {label.get("for") for label in page.all("label")}
    fields = [one for tag in ("input", "select", "textarea") for one in page.all(tag)]
    named = [one for one in fields if one.get("type") not in ("hidden", "submit")]
    assert all(one.get("id") in labelled or one.get("aria-label") for one in named)
