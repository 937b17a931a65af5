"""Examples for the API's description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from shop.errors import MEDIA_TYPE

TOKENS = {"access": "eyJhbGciOiJIUzI1NiJ9.e30.access", "refresh": "eyJhbGciOiJIUzI1NiJ9.e30.refresh"}
PROFILE = {
    "id": 7,
    "username": "u5f0c9be1d2a34786",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "is_staff": False,
    "date_joined": "2026-03-02T12:00:00Z",
}
USER = {
    "id": 8,
    "username": "grace",
    "email": "grace@example.com",
    "first_name": "Grace",
    "last_name": "Hopper",
    "is_active": True,
    "is_staff": False,
    "is_superuser": False,
    "date_joined": "2026-03-02T12:00:00Z",
    "last_login": None,
}


def asked(name: str, body: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, body, request_only=True)


def answered(name: str, body: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, body, response_only=True, status_codes=[str(status)])


def refused(
    name: str, status: int, detail: str, type_: str = "about:blank", title: str = "", **more: Any
) -> OpenApiExample:
    body = {"type": type_, "title": title or name, "status": status, "detail": detail, **more}
    return OpenApiExample(name, body, response_only=True, status_codes=[str(status)], media_type=MEDIA_TYPE)


def invalid(name: str, pointer: str, detail: str) -> OpenApiExample:
    return refused(
        name,
        400,
        "Some values cannot be accepted: `errors` says which and why.",
        "urn:problem-type:shop:invalid-request",
        "Invalid request",
        errors=[{"detail": detail, "pointer": f"#/{pointer}"}],
    )


WEAK = invalid("Weak password", "password", "This password is too common.")
BAD_LINK = refused(
    "Used link",
    400,
    "This link is incomplete, too old or used before. Ask for a new one.",
    "urn:problem-type:shop:bad-link",
    "Link not valid",
)
NO_MAIL = refused(
    "No mail",
    503,
    "No mail can be sent just now. Ask again in 30 seconds.",
    "urn:problem-type:shop:no-mail",
    "No mail can be sent",
)
