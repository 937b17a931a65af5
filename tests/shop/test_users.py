"""Accounts: their owner's own view of them, and what staff may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from shop.accounts import staff as staff_work
from shop.accounts.models import User
from shop.orders.models import Order
from tests.shop.accounts import as_user, log_in, patch, pointers, post, token_in_mail
from tests.shop.conftest import PASSWORD
from tests.shop.test_checkout_race import all_at_once

USERS, ME = "/api/v1/users/", "/api/v1/me/"


@pytest.fixture(autouse=True)
def _nobody_was_sent_a_mail(workers: None) -> None:
    cache.clear()


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def keeper(db: None) -> User:
    """Staff with all permissions on accounts, and no superuser."""
    user = User.objects.create_user("keeper", "keeper@example.com", PASSWORD, is_staff=True)
    names = [f"{action}_user" for action in ("view", "add", "change", "delete")]
    user.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="accounts"))
    return user


@pytest.fixture
def clerk(db: None) -> User:
    """Staff without a permission on accounts."""
    return User.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)


def close(user: User, password: str = PASSWORD) -> HttpResponse:
    return post(as_user(user), "/me/close/", current_password=password)


def order_of(user: User) -> Order:
    order = Order(customer=user, total="1.00", currency="EUR")
    order.changed_at = order.expires_at = timezone.now()
    order.save()
    return order


# Their own


def test_a_customer_reads_and_changes_their_profile(ada: User) -> None:
    client = as_user(ada)

    changed = patch(client, "/me/", first_name="Ada", last_name="L\u00f6w")
    read = client.get(ME)

    assert (changed.status_code, read.status_code) == (200, 200)
    assert read.json() == changed.json()
    assert read.json() | {"date_joined": ""} == {
        "id": ada.pk,
        "username": "ada",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "L\u00f6w",
        "is_staff": False,
        "date_joined": "",
    }
    assert read["Cache-Control"] == "private, no-store"


def test_nobody_gives_themselves_power_or_a_name_by_their_profile(ada: User) -> None:
    answer = patch(
        as_user(ada), "/me/", is_staff=True, is_superuser=True, username="root", email="root@example.com", id=1
    )

    assert answer.status_code == 200
    found = User.objects.get()
    assert (found.is_staff, found.is_superuser, found.username, found.email) == (False, False, "ada", "ada@example.com")


@pytest.mark.parametrize("value", ["x" * 151, "\u0000", "\ud800", ["a"], {"a": 1}])
def test_a_name_that_is_none_is_refused_by_its_field(ada: User, value: Any) -> None:
    answer = patch(as_user(ada), "/me/", first_name=value)

    assert (answer.status_code, set(pointers(answer))) == (400, {"#/first_name"})


def test_an_account_without_orders_goes(ada: User) -> None:
    tokens = log_in("ada", PASSWORD)

    answer = close(ada)

    assert answer.status_code == 204
    assert not User.objects.exists()
    assert post(Client(), "/auth/token/refresh/", refresh=tokens["refresh"]).status_code == 401


def test_an_account_with_orders_is_emptied_of_whose_it_was_and_its_address_is_free(ada: User) -> None:
    User.objects.update(first_name="Ada", last_name="Lovelace")
    order, tokens = order_of(ada), log_in("ada", PASSWORD)

    answer = close(User.objects.get())

    assert answer.status_code == 204
    left = User.objects.get()
    assert (left.email, left.first_name, left.last_name, left.is_active) == (None, "", "", False)
    assert left.username.startswith("closed-")
    assert not left.has_usable_password()
    assert Order.objects.get().pk == order.pk
    assert post(Client(), "/auth/token/refresh/", refresh=tokens["refresh"]).status_code == 401
    User.objects.create_user("ada", "ada@example.com", PASSWORD)


def test_staff_close_no_account_of_their_own(root: User, clerk: User) -> None:
    answers = [close(user) for user in (root, clerk)]

    assert [answer.json()["type"] for answer in answers] == ["urn:problem-type:shop:staff-account"] * 2
    assert User.objects.filter(is_active=True).count() == 2


def test_who_holds_a_token_and_not_the_password_closes_nothing(ada: User) -> None:
    """A token may be stolen; a closed account cannot be opened again."""
    wrong, missing = close(ada, "a guess"), post(as_user(ada), "/me/close/")

    assert (wrong.status_code, missing.status_code) == (400, 400)
    assert pointers(wrong) == pointers(missing) == ["#/current_password"]
    assert User.objects.filter(is_active=True).exists()


def test_a_stranger_closes_no_account(client: Client, db: None) -> None:
    assert post(client, "/me/close/", current_password=PASSWORD).status_code == 401


@pytest.mark.parametrize("method", ["get", "patch"])
def test_a_stranger_has_no_profile(client: Client, db: None, method: str) -> None:
    assert getattr(client, method)(ME).status_code == 401


# Who may


NEW = {"username": "grace", "email": "grace@example.com"}
ACTIONS: dict[str, Callable[[Client, User], Any]] = {
    "list": lambda client, _: client.get(USERS),
    "read": lambda client, user: client.get(f"{USERS}{user.pk}/"),
    "create": lambda client, _: post(client, "/users/", **NEW),
    "change": lambda client, user: patch(client, f"/users/{user.pk}/", first_name="A"),
    "delete": lambda client, user: client.delete(f"{USERS}{user.pk}/"),
}
ANSWERS = {"list": 200, "read": 200, "create": 201, "change": 200, "delete": 204}


@pytest.mark.parametrize("action", ACTIONS)
def test_superusers_and_staff_with_the_permission_may_others_may_not(
    action: str, ada: User, root: User, keeper: User, clerk: User
) -> None:
    refused = [ACTIONS[action](as_user(user), ada).status_code for user in (clerk, ada)]
    stranger = ACTIONS[action](Client(), ada).status_code
    kept = ACTIONS[action](as_user(keeper), ada).status_code
    User.objects.filter(username="grace").delete()
    if action == "delete":
        ada = User.objects.create_user("ada2")
    rooted = ACTIONS[action](as_user(root), ada).status_code

    assert (refused, stranger) == ([403, 403], 401)
    assert (kept, rooted) == (ANSWERS[action], ANSWERS[action])


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_only_superusers_make_staff(ada: User, root: User, keeper: User, power: str) -> None:
    by_keeper = [
        post(as_user(keeper), "/users/", **NEW, **{power: True}),
        patch(as_user(keeper), f"/users/{ada.pk}/", **{power: True}),
    ]
    by_root = [
        post(as_user(root), "/users/", **NEW, **{power: True}),
        patch(as_user(root), f"/users/{ada.pk}/", **{power: True}),
    ]

    assert [answer.status_code for answer in by_keeper] == [403, 403]
    assert [answer.status_code for answer in by_root] == [201, 200]
    assert all(answer.json()[power] for answer in by_root)


@pytest.mark.parametrize("change", [{"email": "keeper2@example.com"}, {"is_active": False}, {"is_staff": False}])
def test_staff_without_that_power_touch_no_account_of_staff(
    root: User, keeper: User, clerk: User, change: dict[str, Any]
) -> None:
    """With a superuser's address changed to theirs, the next reset of its password would come to them."""
    answers = [patch(as_user(keeper), f"/users/{user.pk}/", **change) for user in (root, clerk)]
    answers += [as_user(keeper).delete(f"{USERS}{user.pk}/") for user in (root, clerk)]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert User.objects.filter(is_active=True, is_staff=True).count() == 3


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}, {"is_superuser": False}])
def test_nobody_locks_themselves_out(root: User, change: dict[str, Any]) -> None:
    answers = [patch(as_user(root), f"/users/{root.pk}/", **change), as_user(root).delete(f"{USERS}{root.pk}/")]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [
        (409, "urn:problem-type:shop:own-account")
    ] * 2
    assert User.objects.filter(is_active=True, is_superuser=True).count() == 1


def test_staff_change_what_locks_nobody_out_of_their_own(root: User) -> None:
    assert patch(as_user(root), f"/users/{root.pk}/", first_name="R", is_staff=True).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_superusers_who_demote_each_other_one_remains(root: User) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    pair = [root, User.objects.create_superuser("toor", "toor@example.com", PASSWORD)]

    ends = all_at_once(2, lambda n: staff_work.update(pair[n], pair[1 - n], {"is_superuser": False, "is_staff": False}))

    assert ends == {"done": 1, staff_work.NeedsSuperuser.__name__: 1}
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


# What they do


def test_the_owner_of_an_account_that_staff_made_chooses_its_password(
    root: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        post(as_user(root), "/users/", **NEW)
    chosen = post(Client(), "/auth/password-reset/confirm/", token=token_in_mail(), password=PASSWORD)

    assert mail.outbox[0].to == ["grace@example.com"]
    assert chosen.status_code == 204
    assert log_in("grace", PASSWORD)


def test_an_account_with_orders_is_not_deleted_by_staff_and_can_be_deactivated(root: User, ada: User) -> None:
    order_of(ada)
    tokens = log_in("ada", PASSWORD)

    refused = as_user(root).delete(f"{USERS}{ada.pk}/")
    deactivated = patch(as_user(root), f"/users/{ada.pk}/", is_active=False)
    patch(as_user(root), f"/users/{ada.pk}/", is_active=True)

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:problem-type:shop:account-in-use")
    assert deactivated.json()["is_active"] is False
    # Who comes back signs in anew.
    assert post(Client(), "/auth/token/refresh/", refresh=tokens["refresh"]).status_code == 401


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"username": "ada"}, "#/username"),
        ({"username": "ADA"}, "#/username"),
        ({"username": "\uff41da"}, "#/username"),
        ({"username": "\u0430da"}, "#/username"),
        ({"username": "ada@example.com"}, "#/username"),
        ({"username": "a" * 151}, "#/username"),
        ({"username": "a\u0000"}, "#/username"),
        ({"username": ""}, "#/username"),
        ({"email": "ADA@Example.com"}, "#/email"),
        ({"email": "\uff41da@example.com"}, "#/email"),
        ({"email": "\u0430da@example.com"}, "#/email"),
        ({"email": None}, "#/email"),
        ({"is_active": "perhaps"}, "#/is_active"),
    ],
)
def test_names_that_are_taken_or_look_like_anothers_are_refused_by_their_field(
    root: User, ada: User, values: dict[str, Any], pointer: str
) -> None:
    answer = post(as_user(root), "/users/", **(NEW | values))

    assert (answer.status_code, set(pointers(answer))) == (400, {pointer})


def test_a_name_taken_in_this_very_moment_is_a_problem_of_the_caller(root: User, ada: User) -> None:
    with pytest.raises(staff_work.NameTaken):
        staff_work.create(root, {"username": "other", "email": "ada@example.com"})


def test_search_order_and_pages(root: User, db: None, django_assert_num_queries: Any) -> None:
    User.objects.bulk_create(
        User(username=f"u{n:03}", email=f"u{n:03}@example.com", first_name="Grace" if n % 2 else "Ada")
        for n in range(60)
    )
    client = as_user(root)

    with django_assert_num_queries(3):  # who asks, how many, the page
        first = client.get(USERS, {"ordering": "-username", "page_size": 10}).json()
    last = client.get(USERS, {"ordering": "-username", "page_size": 10, "page": 7}).json()
    found = client.get(USERS, {"search": "grace U00", "ordering": "username"}).json()

    assert (first["count"], len(first["results"]), first["results"][0]["username"]) == (61, 10, "u059")
    assert [user["username"] for user in last["results"]] == ["root"]
    assert [user["username"] for user in found["results"]] == ["u001", "u003", "u005", "u007", "u009"]
    assert "password" not in first["results"][0]


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=201", "page_size=many", "page_size=-1", "page_size=%C2%B2"]
)
def test_a_size_of_pages_out_of_bounds_is_told(root: User, query: str) -> None:
    """Not taken for another number: who asks for a thousand would take what comes for all there is."""
    answer = as_user(root).get(f"{USERS}?{query}")

    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        [{"detail": "Write a number from 1 to 200.", "parameter": "page_size"}],
    )


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99", "page=last", "search=%00"])
def test_a_page_that_is_not_there_is_a_problem_of_the_caller(root: User, query: str) -> None:
    answer = as_user(root).get(f"{USERS}?{query}")

    assert answer.status_code in {400, 404}
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["ordering=password", "ordering=-user_permissions__id", "ordering=%00"])
def test_nothing_is_ordered_by_what_is_not_shown(root: User, ada: User, query: str) -> None:
    answer = as_user(root).get(f"{USERS}?{query}").json()

    assert [user["id"] for user in answer["results"]] == sorted([root.pk, ada.pk])


def test_an_account_that_is_not_there_is_not_found(root: User) -> None:
    assert [as_user(root).get(f"{USERS}{key}/").status_code for key in (0, 10**30)] == [404, 404]
