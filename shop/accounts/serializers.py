from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, user_logged_in
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken

from shop.accounts.models import User


class LoginSerializer(serializers.Serializer[User]):
    username = serializers.CharField(write_only=True, max_length=254, help_text="The username or the e-mail.")
    password = serializers.CharField(
        write_only=True, max_length=1024, trim_whitespace=False, style={"input_type": "password"}
    )
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)

    @sensitive_variables("attrs")
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        request = self.context["request"]
        username = User.objects.username_for(attrs["username"])
        user = authenticate(request=request, username=username, password=attrs["password"])
        if user is None:
            raise AuthenticationFailed("No active account has this name and password.")
        user_logged_in.send(sender=User, request=request, user=user)
        refresh = RefreshToken.for_user(user)
        return {"access": str(refresh.access_token), "refresh": str(refresh)}


class RefreshSerializer(TokenRefreshSerializer):
    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        try:
            return super().validate(attrs)
        except User.DoesNotExist as exc:
            # The account went while its token lived on.
            raise AuthenticationFailed(self.error_messages["no_active_account"]) from exc
