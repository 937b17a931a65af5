"""The way to Datadog's API: the `datadog` library's client, with answers instead of its silence.

The library hides the status and the headers of an error, takes `"errors": []` in a good answer for a failure, refuses
to call for five minutes after three timeouts, and would follow a redirect with our keys. So the session it calls with
looks at each answer first.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import datadog
import requests
from datadog.api.api_client import APIClient
from datadog.api.exceptions import ClientError, DatadogException, HttpTimeout, ProxyError
from datadog.api.http_client import RequestClient

TIMEOUT_S = 30.0
# After a timeout, a lost connection or a 5xx.
PAUSES_S = (1.0, 2.0, 4.0)
# For all waits that one call's 429s ask for: Datadog's windows are ten seconds to some minutes.
MOST_LIMITED_S = 300.0
# Where a 429 names no time.
LIMITED_S = 10.0


class Trouble(Exception):
    """A call failed; the message is for the operator. Holds no key."""


class Away(Trouble):
    """Datadog was not reached, or not well, for all tries."""


class Refused(Trouble):
    """Datadog answered, and refused. `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Limited(Exception):
    def __init__(self, reset_s: float) -> None:
        super().__init__()
        self.reset_s = reset_s


class _Unwell(Exception):
    pass


_AGAIN = (_Unwell, HttpTimeout, ClientError, ProxyError, requests.exceptions.ChunkedEncodingError)


class Account:
    """Datadog's API for one pair of keys. The library keeps them in its module: one account at a time."""

    def __init__(
        self,
        api_key: str,
        app_key: str,
        host: str,
        *,
        timeout_s: float = TIMEOUT_S,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = host
        self._wait = wait
        datadog.initialize(
            api_key=api_key,
            app_key=app_key,
            api_host=host,
            # Any name keeps it from asking the cloud's metadata service and `hostname -f`. It is sent with nothing.
            host_name="unused",
            hostname_from_config=False,
            mute=False,
            timeout=timeout_s,
            max_retries=0,
        )

    # Any: JSON, of a shape that depends on the path.
    def call(self, method: str, path: str, body: object = None, *, version: str = "v1", **params: Any) -> Any:
        """Returns the answer's JSON. Tries again where that cannot do a thing twice: a POST only after a 429."""
        pauses = iter(() if method == "POST" else PAUSES_S)
        limited_s = 0.0
        while True:
            try:
                return self._once(method, path, version, body, params)
            except _Limited as limited:
                limited_s += limited.reset_s
                if limited_s > MOST_LIMITED_S:
                    raise Away(f"Datadog's rate limit asks to wait for more than {MOST_LIMITED_S:.0f} s.") from None
                self._wait(limited.reset_s)
            except _AGAIN as error:
                pause = next(pauses, None)
                if pause is None:
                    raise Away(self._away(method, error)) from None
                self._wait(pause)

    def _once(self, method: str, path: str, version: str, body: object, params: dict[str, Any]) -> Any:
        try:
            answer = _Client.submit(
                method, path, version, body, suppress_response_errors_on_codes=[200, 201, 202], **params
            )
        except _AGAIN:
            raise
        except ValueError:
            raise Trouble(f"{self.host} answered something that is not JSON: is it Datadog's API?") from None
        except DatadogException as error:
            raise Trouble(printable(error)) from None
        if isinstance(answer, dict) and answer.get("errors"):
            raise Refused(200, _told(answer))
        return answer

    def _away(self, method: str, error: Exception) -> str:
        again = " It may have been made all the same: another run looks first." if method == "POST" else ""
        if isinstance(error, HttpTimeout):
            return f"{self.host} did not answer in time.{again}"
        if isinstance(error, _Unwell):
            return f"{self.host} answered {error}.{again}"
        return f"{self.host} cannot be reached: {printable(error, 200)}"


def from_environment(wait: Callable[[float], None] = time.sleep) -> Account | None:
    """Returns the account of DD_API_KEY and DD_APP_KEY, None where neither is set. Raises Trouble for half of it.

    Read here and not in the settings, as the library's own DD_ variables are: settings are shown on debug pages.
    """
    keys = {name: os.environ.get(name, "") for name in ("DD_API_KEY", "DD_APP_KEY")}
    if not any(keys.values()):
        return None
    missing = [name for name, key in keys.items() if not key]
    if missing:
        raise Trouble(f"{missing[0]} is not set; it takes both, DD_API_KEY and DD_APP_KEY.")
    unusable = [name for name, key in keys.items() if not (key.isascii() and key.isprintable()) or " " in key]
    if unusable:
        raise Trouble(f"{unusable[0]} holds a space, a line's end or another character that no key has.")
    return Account(keys["DD_API_KEY"], keys["DD_APP_KEY"], host_of(os.environ), wait=wait)


def host_of(environ: dict[str, str] | os._Environ[str]) -> str:
    """Returns the API's address: DATADOG_HOST as the library reads it, else that of DD_SITE as the Agent does."""
    host = environ.get("DATADOG_HOST") or f"https://api.{environ.get('DD_SITE') or 'datadoghq.com'}"
    parts = urlsplit(host)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Trouble("DATADOG_HOST must be an address such as https://api.datadoghq.eu, DD_SITE one of datadoghq.eu.")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise Trouble("DATADOG_HOST must begin with https://: the keys would be readable on the way.")
    return host.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def printable(text: object, most: int = 500) -> str:
    """Returns a text of somebody else's for a terminal: one line, nothing that moves the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:most]


def _told(answer: object) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if isinstance(errors, list):
        errors = "; ".join(_reason(error) for error in errors)
    return printable(errors or "no reason was given")


def _reason(error: object) -> str:
    # Version 2 of the API says `{"title": ..., "detail": ...}`, or a plain text too.
    return str(error.get("detail") or error.get("title") or error) if isinstance(error, dict) else str(error)


def _look(response: requests.Response, **_: object) -> None:
    status = response.status_code
    if status < 300:
        return
    if status == 429:
        raise _Limited(_reset_s(response))
    if status >= 500:
        raise _Unwell(status)
    try:
        told = _told(response.json())
    except ValueError:
        told = "no reason was given"
    if status in {401, 403}:
        keys = f"Do DD_API_KEY and DD_APP_KEY belong to the account at {_origin(response)} (DD_SITE, DATADOG_HOST)"
        raise Refused(status, f"{status}, {told}. {keys}, and may the application key do this?")
    if status < 400:
        told = "redirects elsewhere, where the keys are not sent; set DD_SITE or DATADOG_HOST to the right address"
    raise Refused(status, f"{status}, {told}")


def _reset_s(response: requests.Response) -> float:
    try:
        return max(1.0, float(response.headers["X-RateLimit-Reset"]))
    except (KeyError, ValueError):
        return LIMITED_S


def _origin(response: requests.Response) -> str:
    parts = urlsplit(response.url)
    return f"{parts.scheme}://{parts.netloc}"


def _session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(_look)
    return session


class _Http(RequestClient):
    _session = _session()


class _Client(APIClient):
    _http_client = _Http
    # Our own pauses instead of five minutes of silence.
    _max_timeouts = sys.maxsize
