"""What a run tells its terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sentinel import prepare
from sentinel.run.place import BASE_DIR, HOST


def greeting(var: Path, port: int) -> str:
    url = f"http://{HOST}:{port}"
    staff = _secret(var / prepare.STAFF_PASSWORD) or "(the password you gave it)"
    customer = _secret(var / prepare.CUSTOMER_PASSWORD)
    attack = (
        "curl -s -o /dev/null -w '%{http_code} ' -H 'X-Forwarded-For: 203.0.113.9' -H 'Content-Type: application/json' "
        f"""-d '{{"username": "ada", "password": "wrong"}}' {url}/api/v1/auth/token/"""
    )
    return f"""
Sentinel runs.

  Shop API    {url}/api/v1/products/
  API docs    {url}/api/v1/docs/
  Admin       {url}/admin/    {prepare.STAFF} / {staff}
  Customers   ada, ben, chloe / {customer}
  Health      {url}/healthz, {url}/readyz, explained in {url}/admin/health/
  Logs        {short(var / "log")}/

Try an attack: somebody at 203.0.113.9 guesses passwords. This machine counts as a trusted proxy here, so the client is
whom X-Forwarded-For names, and you don't lock yourself out.

  for i in $(seq 12); do {attack}; done; echo

A wrong password is answered 401, after ten in a minute 429. Within two seconds of the first few the case is in the
admin under "Suspicious IPs", and as ENFORCE=block here, the address is refused whatever it asks (403).

Ctrl-C stops everything."""


def say(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:  # the terminal was closed; there is work to do all the same
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def short(path: Path) -> str:
    return str(path.relative_to(BASE_DIR)) if path.is_relative_to(BASE_DIR) else str(path)


def _secret(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.exists() else ""
