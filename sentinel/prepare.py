"""Makes the database, the static files, the shop and the accounts of `make run`; what is there already stays."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

STAFF = "admin"
STAFF_PASSWORD = "staff-password"  # noqa: S105 - the name of a file
CUSTOMER_PASSWORD = "customer-password"  # noqa: S105
SECRET_KEY = "secret-key"  # noqa: S105


def kept_secret(path: Path) -> tuple[str, bool]:
    """Returns the secret in a file only its owner can read, and whether it had to be made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip(), False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        # The first letter is no punctuation: "-x" would look like an option, "$x" like a variable.
        secret = secrets.choice("abcdefghkmnpqrstuvwxyz") + secrets.token_urlsafe(40 if path.name == SECRET_KEY else 14)
        file.write(secret + "\n")
    return secret, True


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False)
    call_command("collectstatic", interactive=False, verbosity=0)
    fill_shop()
    keep_staff_account()


def fill_shop() -> None:
    """Fills an empty shop. One that somebody changed is theirs."""
    if not apps.get_model("catalogue.Product").objects.exists():
        password, _ = kept_secret(settings.VAR_DIR / CUSTOMER_PASSWORD)
        call_command("seed_shop", customer_password=password)


def keep_staff_account() -> None:
    """Makes the account. The file is emptied once somebody chose another password, so that a wrong one isn't shown."""
    users = get_user_model().objects
    path = settings.VAR_DIR / STAFF_PASSWORD
    password, new = kept_secret(path)
    staff = users.filter(username=STAFF).first()
    if staff is None:
        users.create_superuser(STAFF, None, password)
    elif new:
        staff.set_password(password)
        staff.save(update_fields=["password"])
    elif password and not staff.check_password(password):
        path.write_text("", encoding="utf-8")


if __name__ == "__main__":
    main()
