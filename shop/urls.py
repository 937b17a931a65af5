from __future__ import annotations

from django.urls import path

from shop.accounts.views import LoginView, RefreshView
from shop.catalogue.views import CategoryListView, ProductDetailView, ProductListView
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
    path("categories/", CategoryListView.as_view(), name="category-list"),
    path("products/", ProductListView.as_view(), name="product-list"),
    path("products/<slug:slug>/", ProductDetailView.as_view(), name="product-detail"),
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
