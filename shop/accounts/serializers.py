from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from shop.accounts.fields import AccountEmail, Password, Token, Username
from shop.accounts.models import User
from shop.accounts.sessions import Tokens
from shop.texts import OF_MODELS, OnlyText


class LoginSerializer(serializers.Serializer[Tokens]):
    username = OnlyText(write_only=True, max_length=254, help_text="The username or the e-mail.")
    password = Password()
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class RefreshSerializer(serializers.Serializer[Tokens]):
    access = serializers.CharField(read_only=True)
    refresh = Token(help_text="Good for one renewal: the answer has the next one.")


class LogoutSerializer(serializers.Serializer[Any]):
    refresh = Token()


class EmailSerializer(serializers.Serializer[Any]):
    email = AccountEmail()


class ProfileSerializer(serializers.ModelSerializer[User]):
    serializer_field_mapping = OF_MODELS

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_staff", "date_joined")
        read_only_fields = ("id", "username", "email", "is_staff", "date_joined")


class RegistrationConfirmSerializer(serializers.Serializer[User]):
    token = Token(write_only=True, help_text="From the link in the mail.")
    password = Password()
    first_name = OnlyText(max_length=150, required=False, allow_blank=True)
    last_name = OnlyText(max_length=150, required=False, allow_blank=True)


class ResetConfirmSerializer(serializers.Serializer[Any]):
    token = Token(write_only=True, help_text="From the link in the mail.")
    password = Password()


class PasswordChangeSerializer(serializers.Serializer[Tokens]):
    current_password = Password()
    new_password = Password()
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class EmailChangeSerializer(serializers.Serializer[Any]):
    email = AccountEmail()
    current_password = Password()


class CloseSerializer(serializers.Serializer[Any]):
    current_password = Password()


class EmailConfirmSerializer(serializers.Serializer[Any]):
    token = Token(help_text="From the link in the mail.")


# An account as staff see it. They learn who has which address anyway, so a taken one is said plainly.
class UserSerializer(serializers.ModelSerializer[User]):
    serializer_field_mapping = OF_MODELS
    username = Username(
        # In any case: "Ada" from before and a new "ada" would be taken for each other.
        validators=[UniqueValidator(User.objects.all(), "Another account has this username.", "iexact")]
    )
    email = AccountEmail(validators=[UniqueValidator(User.objects.all(), "Another account has this address.")])

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "is_staff",
            "is_superuser",
            "date_joined",
            "last_login",
        )
        read_only_fields = ("id", "date_joined", "last_login")
