"""How the refusals of shop.accounts look from outside."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import ValidationError as WeakPassword
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, ValidationError

from shop.errors import Problem


def no_login() -> AuthenticationFailed:
    return AuthenticationFailed("No active account has this name and password.")


def no_session() -> AuthenticationFailed:
    """One for all reasons, so that a found token tells nothing about its owner."""
    return AuthenticationFailed("This token is invalid, expired or used. Sign in again.")


def bad_link() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "bad-link",
        "Link not valid",
        "This link is incomplete, too old or used before. Ask for a new one.",
    )


def email_taken() -> Problem:
    """Said only to who proved that the address is theirs."""
    return Problem(
        HTTPStatus.CONFLICT, "account-exists", "Account exists", "There is an account with this address. Sign in."
    )


def weak(field: str, error: WeakPassword) -> ValidationError:
    return ValidationError({field: error.messages})


def wrong_password() -> ValidationError:
    return ValidationError({"current_password": ["This is not the password of this account."]})


def password_changed() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "password-changed",
        "Password changed",
        "The password was changed meanwhile. Sign in again.",
    )


def needs_superuser() -> PermissionDenied:
    return PermissionDenied("Only superusers make staff, or change and delete accounts of staff.")


def own_account() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "own-account",
        "Your own account",
        "Nobody deletes, deactivates or demotes themselves: ask another superuser.",
    )


def staff_account() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT, "staff-account", "Staff account", "An account of staff is closed by another superuser."
    )


def kept() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "account-in-use",
        "Account in use",
        "Orders or other records need this account. Deactivate it instead: PATCH it with is_active false.",
    )


def name_taken() -> ValidationError:
    return ValidationError({"non_field_errors": ["Another account has this username or address by now."]})
