"""What others may want to know of an order. Each is sent with `request=` (Django's HttpRequest) and `order=`."""

from __future__ import annotations

from django.dispatch import Signal

# After the refusal is on record and the stock given back. Listeners may not undo it: one that raises is only logged.
payment_declined = Signal()
