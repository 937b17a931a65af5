"""Hears what a page complains about: its console's errors, exceptions of its scripts, whatever the policy refused."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page

# Runs before any script of the page, through the debugger. Chromium logs most violations itself, but not all.
TELL = """
document.addEventListener("securitypolicyviolation", e => console.error(
  `refused by the policy: ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
"""


def listen(page: Page, heard: list[str]) -> None:
    """Adds each complaint to `heard`."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_expected(page, message):
            heard.append(f"{page.url}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    page.add_init_script(TELL)


def _is_expected(page: Page, message: ConsoleMessage) -> bool:
    """Chromium logs as errors a page's own status of 403, which is for the test to judge, and an icon nobody named."""
    address = message.location["url"]
    return message.text.startswith("Failed to load") and (address == page.url or address.endswith("/favicon.ico"))
