"""Who takes the money? A provider is four questions, each safe to ask again under the same key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

# The cards that the fake provider knows; any other is declined.
APPROVED = "4242424242424242"
DECLINED = "4000000000000002"
TIMES_OUT = "4000000000000119"  # charged, and the answer is lost
IS_LOST = "4000000000000127"  # the request is lost: nothing is charged


@dataclass(frozen=True, repr=False)
class Card:
    """A card number that shows itself to nobody: printed, logged or in a traceback it is its last four digits."""

    number: str

    def __repr__(self) -> str:
        return f"Card(**** {self.last_four})"

    @property
    def last_four(self) -> str:
        return self.number[-4:]

    @property
    def is_well_formed(self) -> bool:
        """12 to 19 digits whose check digit holds (ISO/IEC 7812)."""
        if not re.fullmatch(r"[0-9]{12,19}", self.number):
            return False
        digits = [int(digit) for digit in reversed(self.number)]
        doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
        return (sum(digits[::2]) + sum(doubled)) % 10 == 0


@dataclass(frozen=True)
class Charge:
    approved: bool
    reference: str = ""


class PaymentTimeout(Exception):
    """The provider did not answer in time: whether money moved is not known."""


class PaymentProvider(Protocol):
    """Every method raises PaymentTimeout where no answer came; asking again under the same key is then safe."""

    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        """Charges once per `key`, however often it is called with it, and returns what that came to."""

    def find(self, key: str) -> Charge | None:
        """Returns what became of the charge with this key; None if there is none (yet)."""

    def void(self, key: str) -> Charge | None:
        """As `find`, and where there is none the key is closed: a charge that arrives later is not made."""

    def refund(self, key: str) -> None:
        """Gives back, once, what was charged under this key."""


def provider() -> PaymentProvider:
    """Returns the provider that settings.PAYMENT_PROVIDER names: a dotted path, called without arguments."""
    return cast("PaymentProvider", import_string(settings.PAYMENT_PROVIDER)())
