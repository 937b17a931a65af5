"""Accounts and sign-ins: the views' own functions."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
import strawberry_django
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import AuthenticationFailed
from strawberry import auto

from shop.accounts import models, sessions
from shop.accounts.views.registration import ask_for_account, open_account
from shop.accounts.views.session import renew, sign_in, sign_out
from shop.graphql.context import Info
from shop.graphql.guarded import Guarded
from shop.graphql.refusals import AccountExists, BadLink, InvalidInput, LoginRefused, SessionOver, or_refusal
from shop.graphql.weight import Cost


@strawberry_django.type(models.User)
class Profile:
    username: auto
    email: str | None
    first_name: auto
    last_name: auto
    date_joined: auto


@strawberry.type(
    description='Send `access` as "Authorization: Bearer ...". It holds for minutes; `refresh` renews it, once.'
)
class Session:
    access: str
    refresh: str


@strawberry.type(description="The same for every address: whether it has an account, only the mail tells.")
class Accepted:
    accepted: bool = True


@strawberry.type(description="The access token holds until it expires: forget it.")
class SignedOut:
    signed_out: bool = True


RegisterResult = Annotated[Accepted | InvalidInput, strawberry.union("RegisterResult")]
ConfirmResult = Annotated[
    Profile | AccountExists | BadLink | InvalidInput, strawberry.union("ConfirmRegistrationResult")
]
LoginResult = Annotated[Session | InvalidInput | LoginRefused, strawberry.union("LoginResult")]
RenewResult = Annotated[Session | InvalidInput | SessionOver, strawberry.union("RenewResult")]
LogoutResult = Annotated[SignedOut | InvalidInput | SessionOver, strawberry.union("LogoutResult")]


@strawberry.type
class AccountQuery:
    @strawberry.field(description="Null where nobody is signed in.")
    def me(self, info: Info) -> Profile | None:
        user: Any = info.context.rest.user  # a row, which stands in for the type
        return user if user.is_authenticated else None


def _session(tokens: sessions.Tokens) -> Session:
    return Session(access=tokens.access, refresh=tokens.refresh)


# `Any` below: the types of unions, which strawberry tells apart.
@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        extensions=[Guarded("registration")],
        directives=[Cost(weight=10)],
        description="Asks for an account. The mail has a link to choose a password by.",
    )
    def register(self, info: Info, email: str) -> RegisterResult | None:
        def run() -> Accepted:
            ask_for_account(info.context.rest, {"email": email})
            return Accepted()

        result: Any = or_refusal(info.context.rest, run)
        return result  # type: ignore[no-any-return]

    @strawberry.mutation(directives=[Cost(weight=10)], description="With the token of the mail. Then log in.")
    @sensitive_variables("token", "password", "said")
    def confirm_registration(
        self, info: Info, token: str, password: str, first_name: str = "", last_name: str = ""
    ) -> ConfirmResult | None:
        said = {"token": token, "password": password, "first_name": first_name, "last_name": last_name}
        result: Any = or_refusal(info.context.rest, lambda: open_account(said))
        return result  # type: ignore[no-any-return]

    @strawberry.mutation(
        extensions=[Guarded("login")], directives=[Cost(weight=10)], description="By the username or the e-mail."
    )
    @sensitive_variables("password", "said")
    def login(self, info: Info, username: str, password: str) -> LoginResult | None:
        said = {"username": username, "password": password}
        rest = info.context.rest
        result: Any = or_refusal(rest, lambda: _session(sign_in(rest, said)), {AuthenticationFailed: LoginRefused})
        return result  # type: ignore[no-any-return]

    @strawberry.mutation(
        directives=[Cost(weight=10)],
        description="A refresh token is good for one renewal: keep the one of the answer.",
    )
    @sensitive_variables("refresh", "said")
    def renew(self, info: Info, refresh: str) -> RenewResult | None:
        rest, said = info.context.rest, {"refresh": refresh}
        result: Any = or_refusal(rest, lambda: _session(renew(said)), {AuthenticationFailed: SessionOver})
        return result  # type: ignore[no-any-return]

    @strawberry.mutation(directives=[Cost(weight=10)], description="Ends the sign-in that the token is of.")
    @sensitive_variables("refresh")
    def logout(self, info: Info, refresh: str) -> LogoutResult | None:
        def run() -> SignedOut:
            sign_out({"refresh": refresh})
            return SignedOut()

        result: Any = or_refusal(info.context.rest, run, {AuthenticationFailed: SessionOver})
        return result  # type: ignore[no-any-return]
