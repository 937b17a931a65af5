"""How the refusals of shop.orders look from outside."""

from __future__ import annotations

from http import HTTPStatus

from shop.errors import Problem
from shop.orders.models import Order


def out_of_stock(sku: str) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT, "out-of-stock", "Out of stock", f"There is not enough of {sku} in stock.", sku=sku
    )


def not_on_sale(skus: list[str]) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT, "not-on-sale", "No longer on sale", "Take what is named out of the cart.", skus=skus
    )


def empty_cart() -> Problem:
    return Problem(HTTPStatus.CONFLICT, "empty-cart", "Empty cart", "There is nothing in the cart to buy.")


def cart_full(detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, "cart-full", "Cart full", detail)


def price_changed(total: str) -> Problem:
    detail = f"The total is {total} now. Show it to the customer, and send it with a new key."
    return Problem(HTTPStatus.CONFLICT, "price-changed", "Price changed", detail, total=total)


def too_many_unpaid(numbers: list[str]) -> Problem:
    detail = "Pay or cancel one of the orders that wait for it, or let one expire."
    return Problem(HTTPStatus.CONFLICT, "too-many-unpaid-orders", "Too many unpaid orders", detail, orders=numbers)


def coupon_refused() -> Problem:
    """One for all reasons: which one it is would tell a guesser that the code exists."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, "coupon-refused", "Coupon refused", "This code does not hold for this cart."
    )


def declined(order: Order) -> Problem:
    again = order.state == Order.State.PLACED
    detail = "The card was declined and nothing was charged."
    return Problem(
        HTTPStatus.PAYMENT_REQUIRED,
        "payment-declined",
        "Payment declined",
        f"{detail} The order can be paid by another card until it expires." if again else detail,
        order=str(order.number),
        state=order.state,
    )


def timed_out(order: Order) -> Problem:
    return Problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "payment-unknown",
        "Payment outcome unknown",
        "The payment provider did not answer in time. Send the same request with the same Idempotency-Key to learn the "
        "outcome; it is not charged twice.",
        order=str(order.number),
    )


def never_made(order: Order) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "payment-not-made",
        "Payment not made",
        "This payment never reached the provider, and nothing was charged. Pay the order with a new key.",
        order=str(order.number),
        state=order.state,
    )


def wrong_state(order: Order) -> Problem:
    over = order.state == Order.State.PLACED
    detail = "The time to pay it is over." if over else f"The order is {order.state}."
    return Problem(HTTPStatus.CONFLICT, "order-state", "Not possible in this state", detail, state=order.state)


def bad_key() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "idempotency-key",
        "Idempotency-Key needed",
        "Send an Idempotency-Key of 8 to 200 visible ASCII characters, such as a new UUID for each purchase.",
    )


def key_reused() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "Idempotency-Key used before",
        "This key was used for another request. Take a new one.",
    )


def in_progress() -> Problem:
    problem = Problem(
        HTTPStatus.CONFLICT,
        "request-in-progress",
        "Request in progress",
        "The first request with this Idempotency-Key is not done yet. Send it again in a second.",
    )
    problem.wait = 1
    return problem
