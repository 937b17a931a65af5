"""The harness hears what it is there to hear: under each check is a page that fails it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from sentinel.csp import HEADER, policy
from sentinel.settings import SECURE_CSP
from tests.browser.axe import grave

GOOD = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1></main>"


def serve(page: Page, body: str) -> None:
    """Opens a page of these words, under the policy that all of ours have."""

    def answer(route: Route) -> None:
        route.fulfill(
            body=GOOD + body, headers={"Content-Type": "text/html; charset=utf-8", HEADER: policy(SECURE_CSP)}
        )

    page.route("**/a-page/", answer)
    page.goto("/a-page/")


@pytest.mark.parametrize(
    ("body", "directive"),
    [
        ("<script>document.title = 'mine'</script>", "script-src-elem"),
        ("<p onclick='document.title = 1'>", "script-src-attr"),
        ("<script src='https://example.com/a.js'></script>", "script-src-elem"),
        ("<style>p { color: red }</style>", "style-src-elem"),
        ("<p style='color: red'>", "style-src-attr"),
        ("<img alt='' src='https://example.com/a.png'>", "img-src"),
        ("<img alt='' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "img-src"),
        ("<iframe title=a src='/healthz'></iframe>", "frame-src"),
        ("<base href='https://example.com/'>", "base-uri"),
        ("<object data='/healthz'></object>", "object-src"),
    ],
)
def test_what_the_policy_refuses_is_heard(page: Page, complaints: list[str], body: str, directive: str) -> None:
    serve(page, body)
    page.evaluate("() => 0")

    heard = " ".join(complaints)
    complaints.clear()
    assert f"refused by the policy: {directive}" in heard


def test_a_form_cannot_be_sent_elsewhere(page: Page, complaints: list[str]) -> None:
    serve(page, "<form action='https://example.com/'><button>Send</button></form>")

    with page.expect_console_message(lambda message: message.text.startswith("refused by the policy")):
        page.get_by_role("button").evaluate("button => button.click()")  # which waits for no other page

    heard = " ".join(complaints)
    complaints.clear()
    assert "refused by the policy: form-action" in heard


def test_an_error_of_a_script_is_heard(page: Page, complaints: list[str]) -> None:
    serve(page, "")

    with page.expect_event("pageerror"):
        page.evaluate("() => setTimeout(() => { throw new Error('of mine') })")

    assert "of mine" in complaints.pop()


def test_a_file_that_is_missing_is_heard(page: Page, complaints: list[str]) -> None:
    serve(page, "<img alt='' src='/static/no-such.png'>")

    assert "404" in complaints.pop()


def test_what_axe_calls_serious_or_critical_is_found(page: Page) -> None:
    serve(page, "<img src='/static/admin/img/icon-yes.svg'><link rel=stylesheet href='/static/admin/css/base.css'>")

    (line,) = grave(page)

    assert line.startswith("image-alt (critical) img:")


def test_a_good_page_has_nothing_to_complain_of(page: Page) -> None:
    serve(page, "")

    assert grave(page) == []
