from __future__ import annotations

from django.urls import path

from shop.accounts.views.address import EmailChangeView, EmailConfirmView
from shop.accounts.views.me import CloseView, MeView
from shop.accounts.views.password import PasswordChangeView, PasswordResetConfirmView, PasswordResetView
from shop.accounts.views.registration import RegistrationConfirmView, RegistrationView
from shop.accounts.views.session import LoginView, LogoutView, RefreshView
from shop.accounts.views.users import UserDetailView, UserListView
from shop.catalogue.views import (
    CategoryDetailView,
    CategoryListView,
    ProductDetailView,
    ProductListView,
    ProductSearchView,
)
from shop.imports.views import (
    ImportCancelView,
    ImportDetailView,
    ImportErrorsCsvView,
    ImportErrorsView,
    ImportListView,
)
from shop.orders.views.cart import CartCouponView, CartItemsView, CartItemView, CartView
from shop.orders.views.checkout import CheckoutView
from shop.orders.views.orders import (
    OrderCancelView,
    OrderDetailView,
    OrderListView,
    OrderPayView,
    OrderRefundView,
    OrderShipView,
)

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
    path("me/close/", CloseView.as_view(), name="account-close"),
    path("users/", UserListView.as_view(), name="user-list"),
    path("users/<int:pk>/", UserDetailView.as_view(), name="user-detail"),
    path("categories/", CategoryListView.as_view(), name="category-list"),
    path("categories/<slug:slug>/", CategoryDetailView.as_view(), name="category-detail"),
    path("products/", ProductListView.as_view(), name="product-list"),
    path("products/search/", ProductSearchView.as_view(), name="product-search"),
    path("products/<slug:slug>/", ProductDetailView.as_view(), name="product-detail"),
    path("imports/", ImportListView.as_view(), name="import-list"),
    path("imports/<uuid:pk>/", ImportDetailView.as_view(), name="import-detail"),
    path("imports/<uuid:pk>/errors/", ImportErrorsView.as_view(), name="import-errors"),
    path("imports/<uuid:pk>/errors.csv", ImportErrorsCsvView.as_view(), name="import-errors-csv"),
    path("imports/<uuid:pk>/cancel/", ImportCancelView.as_view(), name="import-cancel"),
    path("cart/", CartView.as_view(), name="cart"),
    path("cart/items/", CartItemsView.as_view(), name="cart-items"),
    # A SKU may hold a slash.
    path("cart/items/<path:sku>/", CartItemView.as_view(), name="cart-item"),
    path("cart/coupon/", CartCouponView.as_view(), name="coupon"),
    path("checkout/", CheckoutView.as_view(), name="checkout"),
    path("orders/", OrderListView.as_view(), name="order-list"),
    path("orders/<uuid:number>/", OrderDetailView.as_view(), name="order-detail"),
    path("orders/<uuid:number>/cancel/", OrderCancelView.as_view(), name="order-cancel"),
    path("orders/<uuid:number>/pay/", OrderPayView.as_view(), name="order-pay"),
    path("orders/<uuid:number>/refund/", OrderRefundView.as_view(), name="order-refund"),
    path("orders/<uuid:number>/ship/", OrderShipView.as_view(), name="order-ship"),
]
