from shop.orders.models.cart import Cart, CartItem
from shop.orders.models.coupon import Coupon, CouponCustomer
from shop.orders.models.fake_charge import FakeCharge
from shop.orders.models.keyed import KeyedRequest
from shop.orders.models.mail import OrderMail
from shop.orders.models.order import Order, OrderLine
from shop.orders.models.payment import Payment

__all__ = [
    "Cart",
    "CartItem",
    "Coupon",
    "CouponCustomer",
    "FakeCharge",
    "KeyedRequest",
    "Order",
    "OrderLine",
    "OrderMail",
    "Payment",
]
