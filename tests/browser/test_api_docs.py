"""Swagger UI under the Content-Security-Policy: not only drawn, but of use."""

from __future__ import annotations

from playwright.sync_api import Page


def test_an_operation_is_tried_and_answered(page: Page) -> None:
    page.goto("/api/v1/docs/")

    page.get_by_role("button", name="GET /api/v1/limits/ My limits").click()
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/api/v1/limits/") as answer:
        page.get_by_role("button", name="Execute").click()

    assert answer.value.status == 200
    page.locator(".live-responses-table").get_by_text('"policies"').wait_for()


def test_whoever_authorizes_sends_the_token(page: Page, complaints: list[str]) -> None:
    page.goto("/api/v1/docs/")

    page.get_by_role("button", name="Authorize", exact=True).click()
    by_token = page.locator(".auth-container").filter(has=page.get_by_label("auth-bearer-value"))
    by_token.get_by_role("textbox").fill("a.token.somebody-had")
    by_token.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()
    page.get_by_role("button", name="POST /api/v1/checkout/ Buy").click()
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/api/v1/checkout/") as answer:
        page.get_by_role("button", name="Execute").click()

    page.locator(".live-responses-table").wait_for()
    assert answer.value.request.headers["authorization"] == "Bearer a.token.somebody-had"
    assert "401" in complaints.pop()
