"""Orders as customers and staff see and move them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from itertools import product as pairs

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import states
from shop.orders.models import FakeCharge, Order
from shop.orders.payment import DECLINED
from shop.orders.states import MOVES
from tests.shop.buying import ORDERS, client_of, move, place, stock

AddProduct = Callable[..., Product]
State = Order.State


@pytest.fixture(autouse=True)
def lamp(add_product: AddProduct) -> Product:
    return add_product(stock=50)


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may see and move orders, and nothing else."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "change_order"]))
    return user


@pytest.fixture
def guard(db: None) -> User:
    """Staff with other business."""
    return User.objects.create_user("guard", is_staff=True)


def test_a_customer_sees_their_own_newest_first(signed_in: Client, ada: User, ben: User) -> None:
    mine = [place(ada).order for _ in range(2)]
    place(ben)

    shown = signed_in.get(ORDERS).json()["results"]

    assert [order["number"] for order in shown] == [str(order.number) for order in reversed(mine)]


def test_pages_follow_by_cursor(signed_in: Client, ada: User) -> None:
    numbers = [str(place(ada).order.number) for _ in range(3)]

    first = signed_in.get(ORDERS, {"page_size": 2}).json()
    place(ada)
    second = signed_in.get(first["next"]).json()

    assert [order["number"] for order in first["results"] + second["results"]] == numbers[::-1]


@pytest.mark.parametrize(
    "said",
    [
        "p=nonsense",
        "p=\0",
        "p=2025-03-01",
        "p=2025-03-01T12:00",
        "p=2025-02-30T12:00Z",
        "p=0001-01-01T00:00%2B14:00",
    ],
)
def test_a_cursor_that_somebody_made_up_leads_nowhere(signed_in: Client, ada: User, said: str) -> None:
    """REST framework hands what stands in it to the database."""
    place(ada)

    answer = signed_in.get(ORDERS, {"cursor": b64encode(said.encode()).decode()})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("query", ["page_size=0", "page_size=101", "page_size=many", "state=", "customer="])
def test_a_question_that_means_nothing_is_told(signed_in: Client, query: str) -> None:
    answer = signed_in.get(f"{ORDERS}?{query}")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, query.partition("=")[0])


def test_a_list_is_filtered_by_state_and_by_customer(ada: User, ben: User, clerk: User) -> None:
    place(ada)
    place(ben)
    place(ben, DECLINED)
    client = client_of(clerk)

    def count(**query: str) -> int:
        return len(client.get(ORDERS, query).json()["results"])

    assert (count(), count(state="paid"), count(customer="ben"), count(customer="ben", state="placed")) == (3, 2, 2, 1)
    assert client.get(ORDERS, {"state": "lost"}).status_code == 400


@pytest.mark.parametrize("path", ["", "cancel/", "pay/", "ship/", "refund/"])
def test_strangers_are_shown_nothing(client: Client, ada: User, path: str) -> None:
    order = place(ada).order
    method = client.post if path else client.get

    assert method(f"{ORDERS}{order.number}/{path}").status_code == 401
    assert client.get(ORDERS).status_code == 401


def test_anothers_order_is_one_that_is_not_there(signed_in: Client, ben: User, guard: User) -> None:
    order = place(ben).order

    for client in (signed_in, client_of(guard)):
        assert client.get(f"{ORDERS}{order.number}/").status_code == 404
        assert move(client, order, "cancel").status_code == 404
        assert move(client, order, "ship").status_code == 403
        assert client.get(ORDERS).json()["results"] == []


def test_who_may_only_view_orders_moves_none(ada: User, guard: User) -> None:
    guard.user_permissions.set(Permission.objects.filter(codename="view_order"))
    order, client = place(ada).order, client_of(guard)

    answers = [move(client, order, how).status_code for how in ("cancel", "ship", "refund")]

    assert answers == [403, 403, 403]
    assert client.get(f"{ORDERS}{order.number}/").json()["customer"] == "ada"


def test_a_customer_who_is_no_staff_moves_nothing_whatever_they_are_permitted(ada: User) -> None:
    ada.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "change_order"]))

    assert move(client_of(ada), place(ada).order, "ship").status_code == 403


def test_a_paid_order_is_cancelled_once_and_refunded_once(signed_in: Client, ada: User) -> None:
    order = place(ada, quantity=3).order

    first, second = (move(signed_in, order, "cancel") for _ in range(2))

    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert first.json()["payments"][0]["state"] == "refunded"
    assert (second.status_code, second.json()["detail"]) == (409, "The order is cancelled.")
    assert (stock(), FakeCharge.objects.get().state) == (50, "refunded")


def test_an_unpaid_order_is_cancelled_without_a_refund(signed_in: Client, ada: User) -> None:
    order = place(ada, DECLINED).order

    answer = move(signed_in, order, "cancel")

    assert (answer.status_code, stock(), FakeCharge.objects.get().state) == (200, 50, "declined")


def test_staff_ship_and_refund_and_then_the_stock_stays(signed_in: Client, ada: User, clerk: User) -> None:
    order, client = place(ada).order, client_of(clerk)

    answers = [move(client, order, how).json() for how in ("refund", "ship", "ship", "cancel", "refund")]

    assert [answer["state"] for answer in answers] == ["paid", "shipped", "shipped", "shipped", "refunded"]
    assert [answer.get("status") for answer in answers] == [409, None, 409, 409, None]
    assert move(signed_in, order, "cancel").status_code == 409
    assert (stock(), FakeCharge.objects.get().state) == (49, "refunded")


def test_staff_cancel_for_a_customer(ada: User, clerk: User) -> None:
    assert move(client_of(clerk), place(ada).order, "cancel").json()["state"] == "cancelled"


@pytest.mark.parametrize(("from_", "to"), list(pairs(State.values, State.values)))
def test_only_the_moves_of_the_table_are_made(ada: User, from_: str, to: str) -> None:
    order = place(ada, DECLINED).order
    Order.objects.update(state=from_)

    with transaction.atomic():
        if to in MOVES.get(from_, ()):
            assert states.move(order, from_, to, timezone.now())
        else:
            with pytest.raises(ValueError, match="cannot become"):
                states.move(order, from_, to, timezone.now())
    assert order.state == (to if to in MOVES.get(from_, ()) else "placed")


def test_an_order_that_is_elsewhere_meanwhile_is_not_moved(ada: User) -> None:
    order = place(ada, DECLINED).order
    Order.objects.update(state="paying")

    with transaction.atomic():
        assert not states.move(order, State.PLACED, State.EXPIRED, timezone.now() + timedelta(days=1))
    assert stock() == 49


@pytest.mark.django_db(transaction=True)
def test_a_move_outside_a_transaction_is_a_bug(ada: User) -> None:
    with pytest.raises(RuntimeError, match="in a transaction"):
        states.move(place(ada, DECLINED).order, State.PLACED, State.EXPIRED, timezone.now())


def test_staff_move_orders_in_the_admin(clerk: User, ada: User) -> None:
    paid, unpaid = place(ada).order, place(ada, DECLINED).order
    client = Client()
    client.force_login(clerk)

    def act(action: str) -> str:
        form = {"action": action, "_selected_action": [paid.pk, unpaid.pk]}
        return client.post("/admin/orders/order/", form, follow=True).content.decode()

    shipped = act("ship")
    assert "Moved 1 orders." in shipped
    assert f"Order {unpaid.number} stays placed." in shipped
    act("cancel")
    act("refund")
    assert [order.state for order in Order.objects.order_by("pk")] == ["refunded", "cancelled"]


def test_who_may_only_view_orders_has_no_actions_in_the_admin(ada: User, guard: User) -> None:
    guard.user_permissions.set(Permission.objects.filter(codename="view_order"))
    order, client = place(ada).order, Client()
    client.force_login(guard)

    page = client.get("/admin/orders/order/").content.decode()
    client.post("/admin/orders/order/", {"action": "ship", "_selected_action": [order.pk]})

    assert "Ship the paid ones" not in page
    assert Order.objects.get().state == "paid"
