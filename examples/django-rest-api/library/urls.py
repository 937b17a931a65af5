from __future__ import annotations

from books.views import BookViewSet
from django.contrib import admin
from django.urls import include, path
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.routers import DefaultRouter

router = DefaultRouter()
router.register("books", BookViewSet)

urlpatterns = [
    path("api/login/", obtain_auth_token, name="login"),
    path("api/", include(router.urls)),
    path("admin/", admin.site.urls),
]
