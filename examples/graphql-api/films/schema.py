from __future__ import annotations

from typing import Any

import strawberry
import strawberry_django
from django.contrib.auth import get_user_model
from strawberry import auto
from strawberry_django.optimizer import DjangoOptimizerExtension

from films import models
from ip_tracking.refused import Refused


@strawberry_django.type(models.Director)
class Director:
    name: auto
    films: list[Film]


@strawberry_django.type(models.Film)
class Film:
    id: auto
    title: auto
    year: auto
    director: Director


@strawberry_django.type(get_user_model())
class User:
    username: auto


@strawberry.type
class Query:
    films: list[Film] = strawberry_django.field()
    film: Film = strawberry_django.field()
    me: User = strawberry_django.auth.current_user()


@strawberry.type
class Mutation:
    login: User | None = strawberry_django.auth.login()  # nullable: one that fails does not end the others
    logout = strawberry_django.auth.logout()


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[Any], execution_context: Any = None) -> None:
        """A refusal is told to the client and counted: no error to be logged, with a traceback for each alias."""
        unforeseen = [error for error in errors if not isinstance(error.original_error, Refused)]
        super().process_errors(unforeseen, execution_context)


schema = Schema(query=Query, mutation=Mutation, extensions=[DjangoOptimizerExtension])
