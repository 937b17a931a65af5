"""Who takes the money? A provider is two questions; the fake one here answers by the card's number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

APPROVED = "4242424242424242"
DECLINED = "4000000000000002"
TIMES_OUT = "4000000000000119"


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
    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        """Charges once per `key`, however often it is called with it; raises PaymentTimeout."""

    def find(self, key: str) -> Charge | None:
        """Returns what became of the charge with this key; None if there is none. Raises PaymentTimeout."""


class FakeProvider:
    """Moves no money and remembers nothing: the card alone decides, any but the three above is declined, and a charge
    whose answer was lost counts as never made.
    """

    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        if card.number == TIMES_OUT:
            raise PaymentTimeout
        return Charge(approved=card.number == APPROVED, reference=f"fake-{key}")

    def find(self, key: str) -> Charge | None:
        return None


PROVIDER: PaymentProvider = FakeProvider()
