"""What an address, a name, a password and a token may look like when somebody sends one."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from shop.accounts.names import normal_email, normal_username
from shop.texts import OnlyText

# Mail servers take no longer ones (RFC 3696, erratum 1690).
MOST_EMAIL_CHARS = 254
# More than anybody types; each is hashed.
MOST_PASSWORD_CHARS = 1024
# Ours have fewer than 500; a JSON Web Token of simplejwt has about 350.
MOST_TOKEN_CHARS = 2048

ASCII_EMAIL = RegexValidator(
    r"^[\x21-\x7e]+\Z",
    "Only ASCII letters, digits and signs: another letter may look like one of them. Write such a domain as xn--...",
)
# Fewer than the model allows: names from before stay, a new one cannot look like another.
# Capitals are taken, and made small.
PLAIN_USERNAME = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.+-]*\Z", "Letters a-z, digits and . + - _ only, the first a letter or a digit."
)


class AccountEmail(OnlyText, serializers.EmailField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_EMAIL_CHARS, **kwargs)
        self.validators.append(ASCII_EMAIL)

    def to_internal_value(self, data: Any) -> str:
        return normal_email(super().to_internal_value(data))


class Username(OnlyText):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=150, **kwargs)
        self.validators.append(PLAIN_USERNAME)

    def to_internal_value(self, data: Any) -> str:
        return normal_username(super().to_internal_value(data)).lower()


class Password(OnlyText):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            write_only=True,
            max_length=MOST_PASSWORD_CHARS,
            trim_whitespace=False,
            style={"input_type": "password"},
            **kwargs,
        )


class Token(OnlyText):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_TOKEN_CHARS, **kwargs)
