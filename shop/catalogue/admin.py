from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from shop.catalogue.models import Category, Product

if TYPE_CHECKING:
    CategoryBase = admin.ModelAdmin[Category]
    ProductBase = admin.ModelAdmin[Product]
else:
    CategoryBase = ProductBase = admin.ModelAdmin


@admin.register(Category)
class CategoryAdmin(CategoryBase):
    list_display = ("name", "slug", "parent")
    list_select_related = ("parent",)
    prepopulated_fields = {"slug": ("name",)}
    search_fields = ("name", "slug")


@admin.register(Product)
class ProductAdmin(ProductBase):
    list_display = ("name", "sku", "category", "price", "currency", "stock", "active")
    list_filter = ("active", "category")
    list_select_related = ("category",)
    prepopulated_fields = {"slug": ("name",)}
    search_fields = ("name", "sku")
