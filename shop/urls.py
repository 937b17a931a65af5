from __future__ import annotations

from django.urls import path

from shop.accounts.views.address import EmailChangeView, EmailConfirmView
from shop.accounts.views.me import MeView
from shop.accounts.views.password import PasswordChangeView, PasswordResetConfirmView, PasswordResetView
from shop.accounts.views.registration import RegistrationConfirmView, RegistrationView
from shop.accounts.views.session import LoginView, LogoutView, RefreshView
from shop.accounts.views.users import UserDetailView, UserListView
from shop.catalogue.views import CategoryListView, ProductDetailView, ProductListView
from shop.orders.views import CheckoutView

app_name = "shop"
urlpatterns = [
    path("auth/token/", LoginView.as_view(), name="login"),
    path("auth/token/refresh/", RefreshView.as_view(), name="token-refresh"),
    path("auth/logout/", LogoutView.as_view(), name="logout"),
    path("auth/registration/", RegistrationView.as_view(), name="registration"),
    path("auth/registration/confirm/", RegistrationConfirmView.as_view(), name="registration-confirm"),
    path("auth/password-reset/", PasswordResetView.as_view(), name="password-reset"),
    path("auth/password-reset/confirm/", PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/email/confirm/", EmailConfirmView.as_view(), name="email-confirm"),
    path("me/", MeView.as_view(), name="me"),
    path("me/password/", PasswordChangeView.as_view(), name="password-change"),
    path("me/email/", EmailChangeView.as_view(), name="email-change"),
    path("users/", UserListView.as_view(), name="user-list"),
    path("users/<int:pk>/", UserDetailView.as_view(), name="user-detail"),
    path("categories/", CategoryListView.as_view(), name="category-list"),
    path("products/", ProductListView.as_view(), name="product-list"),
    path("products/<slug:slug>/", ProductDetailView.as_view(), name="product-detail"),
    path("checkout/", CheckoutView.as_view(), name="checkout"),
]
