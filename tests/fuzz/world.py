"""The shop that the fuzzer visits, and what its visits need: rows made for one call each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking import cases
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action
from ip_tracking.review.order import Order as ToDo
from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.imports.models import Import
from shop.imports.uploading import Upload
from shop.orders.management.commands.seed_shop import add_categories, add_products
from shop.orders.models import Cart, CartItem, Coupon, Order, OrderLine, Payment
from tests.traffic import finding

PASSWORD = "correct horse battery"
# One text for all: an access token carries a digest of it, and must outlive a changed password.
HASHED = make_password(PASSWORD, salt="fuzz", hasher="md5")
COUPON = "WELCOME10"
CART_TOKEN = "of-the-cart-of-nobody"
STOCK = 1_000_000


@dataclass
class World:
    """`name`: who visits; "" is nobody. A visitor who closed the account has it again at the next call."""

    name: str = ""
    is_staff: bool = False
    serial: count[int] = field(default_factory=lambda: count(1))

    def build(self) -> None:
        add_products(24, add_categories())
        Product.objects.update(stock=STOCK)
        now = timezone.now()
        Coupon.objects.create(code=COUPON, percent=10, valid_from=now - timedelta(days=1))
        for state in Order.State.values:
            self.order(state)

    def number(self) -> int:
        return next(self.serial)

    def visitor(self) -> User:
        """Its password and rights are what they were in the beginning, whatever calls have made of them."""
        user, _ = User.objects.update_or_create(
            username=self.name or "somebody",
            defaults={
                "password": HASHED,
                "is_active": True,
                "is_staff": self.is_staff,
                "is_superuser": self.is_staff,
            },
            create_defaults={
                "email": f"{self.name or 'somebody'}-{self.number()}@example.com",
                "password": HASHED,
                "is_staff": self.is_staff,
                "is_superuser": self.is_staff,
            },
        )
        return user

    def token(self) -> str:
        return str(AccessToken.for_user(self.visitor()))

    def account(self) -> User:
        """A new one, of somebody else."""
        name = f"other-{self.number()}"
        return User.objects.create(username=name, email=f"{name}@example.com", password=HASHED)

    def category(self) -> Category:
        """A new one, which nothing uses."""
        number = self.number()
        return Category.objects.create(name=f"Shelf {number}", slug=f"shelf-{number}")

    def product(self) -> Product:
        """A new one, which nobody has bought."""
        number = self.number()
        category = Category.objects.get_or_create(slug="things", defaults={"name": "Things"})[0]
        return Product.objects.create(
            category=category,
            name=f"Thing {number}",
            slug=f"thing-{number}",
            sku=f"NEW-{number}",
            price=Decimal("19.90"),
            stock=STOCK,
        )

    def order(self, state: str) -> Order:
        """A new one of the visitor's, and the only one that waits to be paid: a customer may have few of those."""
        now, product, customer = timezone.now(), self.product(), self.visitor()
        Order.objects.filter(customer=customer, state=Order.State.PLACED).update(state=Order.State.EXPIRED)
        order = Order.objects.create(
            customer=customer,
            state=state,
            total=product.price,
            currency=product.currency,
            expires_at=now + timedelta(minutes=15),
            changed_at=now,
        )
        OrderLine.objects.create(
            order=order, product=product, sku=product.sku, name=product.name, unit_price=product.price, quantity=1
        )
        if state in (Order.State.PAID, Order.State.SHIPPED):
            Payment.objects.create(
                order=order, state=Payment.State.APPROVED, amount=order.total, currency="EUR", card_last_four="4242"
            )
        return order

    def cart(self) -> Cart:
        if self.name:
            whose: dict[str, Any] = {"customer": self.visitor()}
        else:
            whose = {"token_hash": hashlib.sha256(CART_TOKEN.encode()).hexdigest()}
        return Cart.objects.get_or_create(**whose, defaults={"changed_at": timezone.now()})[0]

    def cart_token(self) -> dict[str, str]:
        return {} if self.name else {"X-Cart-Token": CART_TOKEN}

    def cart_line(self) -> str:
        """Returns the SKU of what is alone in the visitor's cart."""
        product, cart = self.product(), self.cart()
        CartItem.objects.filter(cart=cart).delete()
        CartItem.objects.create(cart=cart, product=product, quantity=1)
        return product.sku

    def empty_cart(self) -> None:
        CartItem.objects.filter(cart=self.cart()).delete()

    def table(self) -> str:
        """Returns a file of products: one that is good, and one that is not."""
        return f"sku,price,stock\n{self.product().sku},12.50,3\nNO-SUCH,x,-1\n"

    def import_(self) -> Import:
        """A new one, whose file waits to be read."""
        upload = Upload(self.visitor(), timezone.now())
        upload.write(self.table().encode())
        return upload.finish("products.csv", None)[0]

    def case(self) -> SuspiciousIP:
        """A new one, of a network of its own."""
        number = self.number()
        network = f"203.0.{number // 250 % 250}.{number % 250 + 1}"
        cases.file((finding(network=network),), now=timezone.now())
        return SuspiciousIP.objects.get(network=network)

    def batch(self) -> str:
        """Returns the id of what the visitor did a moment ago, to take back."""
        actor = Actor(str(self.visitor().pk), self.name)
        now = timezone.now()
        snooze = ToDo(Action.SNOOZE, until=now + timedelta(days=1))
        return str(apply(snooze, {self.case().pk: None}, actor=actor, now=now).batch)
