"""A route whose argument REST framework's document names differently."""

from __future__ import annotations

from django.urls import path
from rest_framework.generics import RetrieveAPIView
from rest_framework.serializers import ModelSerializer

from shop.accounts.models import User


class UserSerializer(ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["username"]


class UserView(RetrieveAPIView[User]):
    queryset = User.objects.all()
    serializer_class = UserSerializer


urlpatterns = [path("api/users/<int:pk>/", UserView.as_view(), name="user")]
