from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.validators import RegexValidator
from django.db import models

from shop.accounts.names import normal_email, normal_username

if TYPE_CHECKING:
    # A string, an address or none goes in and out; Django's field cannot be subscripted at run time.
    EmailField = models.EmailField[str | None, str | None]
else:
    EmailField = models.EmailField


class AccountEmailField(EmailField):
    """One spelling per address (`normal_email`), and NULL where there is none, so that a plain unique index, which
    every database has, knows `Ada@Example.com` and `ada@example.com` as one and lets many accounts have no address.
    """

    def get_prep_value(self, value: Any) -> Any:
        return normal_email(super().get_prep_value(value) or "") or None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(DjangoUserManager["User"]):
    def username_for(self, login: str) -> str:
        """Returns the username of the account that `login` names, be it by username or by e-mail.

        An e-mail nobody has comes back as it is: no username holds an "@", so it fails as any unknown name does, after
        the same hashing. One name per account also means one count of its wrong passwords, however it was named.
        """
        login = normal_username(login)
        if "@" not in login:
            return login
        return self.filter(email=login).values_list("username", flat=True).first() or login


class User(AbstractUser):
    # Without "@", a username can never be mistaken for somebody else's e-mail.
    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[RegexValidator(r"^[\w.+-]+\Z", "Letters, digits and . + - _ only.")],
        help_text="150 characters or fewer: letters, digits and . + - _",
        error_messages={"unique": "A user with that username already exists."},
    )
    email = AccountEmailField("email address", unique=True, null=True, blank=True)  # type: ignore[assignment]  # Django's own has no NULL

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(username__contains="@"), name="username_is_not_an_email"),
        ]

    def clean(self) -> None:
        super().clean()
        # Django turns "no address" into "", which the check for uniqueness would take for an address.
        self.email = self.email or None
