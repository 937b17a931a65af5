"""What others may want to know. Each is sent with `request=` (Django's HttpRequest), after what it tells is on record.

Listeners may not undo it: one that raises is only logged.
"""

from __future__ import annotations

from django.dispatch import Signal

# With `order=`. Not sent where no request is there to blame: a payment that was settled later, by a task.
payment_declined = Signal()

# With `order=`, in the same cases.
payment_approved = Signal()

# With `reason=`, a word for those who run the shop; the customer is told none, as it would tell which codes exist.
coupon_refused = Signal()
