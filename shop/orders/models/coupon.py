from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q


class CouponQuerySet(models.QuerySet["Coupon"]):
    def usable(self, currency: str, subtotal: Decimal, now: datetime) -> CouponQuerySet:
        """Asked by columns of the coupon alone, so that an UPDATE with it sees what another has just committed."""
        return self.filter(
            Q(valid_until=None) | Q(valid_until__gt=now),
            Q(max_uses=None) | Q(uses__lt=F("max_uses")),
            active=True,
            currency=currency,
            min_total__lte=subtotal,
            valid_from__lte=now,
        )


class Coupon(models.Model):
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9-]+\Z", "Capital letters, digits and hyphens only.")],
        help_text="Customers may type it in small letters.",
    )
    percent = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    amount = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal("0.01"))]
    )
    currency = models.CharField(
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, as in EUR.")],
        help_text="Holds for carts of this currency only, and is that of the amounts here.",
    )
    min_total = models.DecimalField(
        "minimum total", max_digits=14, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True, help_text="In all; empty for no limit.")
    max_uses_per_customer = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for no limit.")
    uses = models.PositiveIntegerField(default=0, editable=False)
    active = models.BooleanField(default=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__isnull=False, amount=None) | Q(percent=None, amount__isnull=False),
                name="coupon_percent_or_amount",
                violation_error_message="Give either a percentage or an amount.",
            ),
            models.CheckConstraint(condition=Q(percent__range=(1, 100)) | Q(percent=None), name="coupon_percent_range"),
            models.CheckConstraint(condition=Q(amount__gt=0) | Q(amount=None), name="coupon_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValidationError({"valid_until": "It must be later than the beginning."})


class CouponCustomer(models.Model):
    """How often one customer used one coupon: a row of its own, so that the limit is one conditional UPDATE."""

    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="customers")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    uses = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["coupon", "customer"], name="coupon_once_per_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} used {self.coupon_id} {self.uses} times"
